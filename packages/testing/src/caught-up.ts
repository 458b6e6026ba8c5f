/** Waits until a group has processed everything. */
import { setTimeout as sleep } from "node:timers/promises";
import type { GroupDescription, LogClient, LogStoreError } from "@logstore/client";
import { checkOptions, durationMs, type OptionRules } from "@logstore/codec";

/** Options of {@link TestBroker.caughtUp}. */
export interface CaughtUpOptions {
  /** ms to wait. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/** A group did not process everything in time. The message contains what is left. */
export class NotCaughtUpError extends Error {
  override readonly name = "NotCaughtUpError";
  readonly code = "NOT_CAUGHT_UP";
  /** The last description of the group; undefined if the group did not exist. */
  readonly description: GroupDescription | undefined;

  constructor(group: string, timeoutMs: number, description: GroupDescription | undefined) {
    super(`group ${group} has not caught up within ${timeoutMs} ms: ${whatIsLeft(description)}`);
    this.description = description;
  }
}

const ASK_AGAIN_MS = 10;
const rules: OptionRules<CaughtUpOptions> = { timeoutMs: durationMs() };

export async function caughtUp(client: LogClient, group: string, options: CaughtUpOptions): Promise<GroupDescription> {
  checkOptions<CaughtUpOptions>("caughtUp", options, rules);
  const { timeoutMs = 10_000 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const description = await describe(client, group);
    if (description !== undefined && isCaughtUp(description)) return description;
    if (performance.now() >= deadline) throw new NotCaughtUpError(group, timeoutMs, description);
    await sleep(ASK_AGAIN_MS);
  }
}

/** Undefined while the group does not exist. */
async function describe(client: LogClient, group: string): Promise<GroupDescription | undefined> {
  try {
    return await client.describeGroup(group);
  } catch (error) {
    if ((error as Partial<LogStoreError>).code === "UNKNOWN_GROUP") return undefined;
    throw error;
  }
}

/** When a group has just been joined, some of its partitions are not assigned yet. */
function isCaughtUp({ state, partitions }: GroupDescription): boolean {
  return state !== "rebalancing" && partitions.length > 0 && partitions.every(({ lag }) => lag === 0);
}

function whatIsLeft(description: GroupDescription | undefined): string {
  if (description === undefined) return "no such group, no member has joined it";
  const { state, members, partitions } = description;
  const behind = partitions.filter(({ lag }) => lag > 0);
  const lags = behind.map(({ topic, partition, lag, logEndOffset, committedOffset }) => {
    return `${topic}/${partition} has ${lag} records left (committed ${committedOffset ?? "nothing"} of ${logEndOffset})`;
  });
  return [...lags, `the group is ${state} with ${members.length} members`].join(", ");
}
