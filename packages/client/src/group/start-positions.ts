import { NoCommittedOffsetError, OffsetOutOfRangeError, sleep } from "@logstore/codec";
import { isEndKnown, type LogApi, type PartitionOffset } from "@logstore/protocol";
import { type Time, toPosition } from "../common/position.js";
import { isRetriable, retryDelayMs } from "../common/retry.js";
import type { OwnedPartition } from "./owned-partition.js";

/** Where a group begins in a partition without a committed offset; "none" makes that an error. */
export type StartPolicy = "earliest" | "latest" | { readonly time: Time } | "none";

/**
 * Sets the position at which each partition begins: its committed offset, or else what the policy
 * says. Retries while the log is unavailable and the partitions are assigned to this member.
 *
 * @throws NoCommittedOffsetError; OffsetOutOfRangeError where a committed offset is not in the log
 * any more and the policy is "none"
 */
export async function startPositions(
  api: LogApi,
  partitions: readonly OwnedPartition[],
  policy: StartPolicy,
  signal: AbortSignal,
): Promise<void> {
  const byTopic = Map.groupBy(partitions, ({ topic }) => topic);
  await Promise.all(
    Array.from(byTopic, async ([topic, partitions]) => {
      const offsets = await lookUp(api, topic, partitions, policy, signal);
      for (const [i, partition] of partitions.entries()) begin(partition, offsets?.[i], policy);
    }),
  );
}

async function lookUp(
  api: LogApi,
  topic: string,
  partitions: readonly OwnedPartition[],
  policy: StartPolicy,
  signal: AbortSignal,
): Promise<PartitionOffset[] | undefined> {
  const positions = partitions.map(({ partition, committed }) => {
    const isKnown = committed !== undefined || policy === "none";
    return { partition, position: isKnown ? "earliest" : toPosition("consumer", "from", policy) } as const;
  });
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted || partitions.every(({ isGone }) => isGone)) return undefined;
    try {
      return await api.listOffsets({ topic, topicId: partitions[0]!.topicId, partitions: positions });
    } catch (error) {
      if (!isRetriable(error) && !partitions[0]!.isPassing(error)) throw error;
      await sleep(retryDelayMs(attempt, error), signal);
    }
  }
}

function begin(state: OwnedPartition, found: PartitionOffset | undefined, policy: StartPolicy): void {
  // A reset or a seek may have set the position meanwhile.
  if (found === undefined || state.position !== undefined) return;
  const { topic, partition, committed } = state;
  state.highWatermark = found.highWatermark;
  if (committed === undefined) {
    if (policy === "none") {
      throw new NoCommittedOffsetError(
        `the group has no committed offset for partition ${partition} of ${topic}: commit one first, or set "from" to where reading begins`,
        { topic, partition },
      );
    }
    state.moveTo(found.offset);
    return;
  }
  // The end of a damaged log is unknown: a group beyond the known end keeps its offset and waits
  // for a repair.
  const end = isEndKnown(found) ? found.highWatermark : Infinity;
  const nearest = Math.min(Math.max(committed, found.logStartOffset), end);
  if (nearest !== committed) state.skipped(committed, nearest);
  state.moveTo(nearest);
}

/** The error for skipped records where the policy is "none". */
export function goneError(
  { topic, partition }: OwnedPartition,
  offset: number,
  nearest: number,
): OffsetOutOfRangeError {
  return new OffsetOutOfRangeError(
    `the group's offset ${offset} of partition ${partition} of ${topic} is not in the log any more: reset the group's ` +
      `offsets, or set "from" to another value than "none", so that reading continues at ${nearest}`,
    { topic, partition, offset, expected: nearest },
  );
}
