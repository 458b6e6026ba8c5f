/** Makes the changes of a reset, one request after another. */
import type { CommittedOffset, LogClient, ResetOffsets } from "@logstore/client";
import type { PlannedReset, Target } from "./reset-plan.js";

/** Number of partitions that the client sends in one request. */
const MAX_PARTITIONS_A_REQUEST = 2000;

export interface ResetOutcome {
  readonly done: readonly CommittedOffset[];
  /** Those of the request that failed: they may be reset or not. */
  readonly unknown: readonly PlannedReset[];
  /** Those that were not requested any more. */
  readonly left: readonly PlannedReset[];
  readonly failure: { readonly error: unknown } | undefined;
}

/**
 * Uses few requests, so that "latest" is the end at one time. The topics must be those that were
 * shown. Stops at the first failure.
 */
export async function applyReset(
  client: LogClient,
  group: string,
  plans: readonly PlannedReset[],
  target: Target,
): Promise<ResetOutcome> {
  const requests = requestsOf(plans, target);
  const done: CommittedOffset[] = [];
  for (const [i, { plans: some, to }] of requests.entries()) {
    const partitions = some.map(({ topic, topicId, partition }) => ({ topic, topicId, partition }));
    try {
      done.push(...(await client.resetOffsets(group, { partitions, to })));
    } catch (error) {
      const left = requests.slice(i + 1).flatMap((request) => request.plans);
      return { done, unknown: some, left, failure: { error } };
    }
  }
  return { done, unknown: [], left: [], failure: undefined };
}

interface Request {
  readonly plans: readonly PlannedReset[];
  readonly to: ResetOffsets["to"];
}

/**
 * The server cannot resolve a number of records before the end: these get the offsets that were
 * shown.
 */
function requestsOf(plans: readonly PlannedReset[], target: Target): Request[] {
  const groups: Iterable<[ResetOffsets["to"], readonly PlannedReset[]]> =
    target.type === "beforeEnd" ? Map.groupBy(plans, ({ to }) => to) : [[positionOf(target), plans]];
  return Array.from(groups).flatMap(([to, all]) => {
    const count = Math.ceil(all.length / MAX_PARTITIONS_A_REQUEST);
    return Array.from({ length: count }, (_, i) => {
      const begin = i * MAX_PARTITIONS_A_REQUEST;
      return { to, plans: all.slice(begin, begin + MAX_PARTITIONS_A_REQUEST) };
    });
  });
}

function positionOf(target: Exclude<Target, { type: "beforeEnd" }>): ResetOffsets["to"] {
  if (target.type === "shift") return { shiftBy: target.records };
  if (target.type === "time") return { time: target.time };
  return target.type === "edge" ? target.edge : target.offset;
}
