import { NoCommittedOffsetError, OffsetOutOfRangeError, sleep } from "@logstore/codec";
import { isEndKnown, type LogApi, type PartitionOffset } from "@logstore/protocol";
import { type Time, toPosition } from "../common/position.js";
import { isRetriable, retryDelayMs } from "../common/retry.js";
import type { OwnedPartition } from "./owned-partition.js";

/**
 * Where a group begins in a partition that it committed nothing for; "none": nowhere, that is an
 * error.
 */
export type StartPolicy = "earliest" | "latest" | { readonly time: Time } | "none";

/**
 * Gives each partition the position to begin at: where the group was, else where its policy says.
 * Asks for as long as the log cannot be reached, and the partitions are still the member's.
 *
 * @throws NoCommittedOffsetError; OffsetOutOfRangeError where a committed offset is gone and the
 * policy is "none"
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
  // A reset or a seek may have come first.
  if (found === undefined || state.position !== undefined) return;
  const { topic, partition, committed } = state;
  state.highWatermark = found.highWatermark;
  if (committed === undefined) {
    if (policy === "none") {
      throw new NoCommittedOffsetError(
        `nothing is committed for partition ${partition} of ${topic}: commit an offset first, or say with "from" where to begin`,
        { topic, partition },
      );
    }
    state.moveTo(found.offset);
    return;
  }
  // The end of a damaged log is not known: whoever was beyond it waits for a repair, and is not
  // sent back.
  const end = isEndKnown(found) ? found.highWatermark : Infinity;
  const nearest = Math.min(Math.max(committed, found.logStartOffset), end);
  if (nearest !== committed) state.skipped(committed, nearest);
  state.moveTo(nearest);
}

/** What "none" makes of records that are gone before they were processed. */
export function goneError(
  { topic, partition }: OwnedPartition,
  offset: number,
  nearest: number,
): OffsetOutOfRangeError {
  return new OffsetOutOfRangeError(
    `offset ${offset} of partition ${partition} of ${topic}, where the group was, is not in the log any more: reset the ` +
      `group's offsets, or say with "from" that reading may go on at ${nearest}`,
    { topic, partition, offset, expected: nearest },
  );
}
