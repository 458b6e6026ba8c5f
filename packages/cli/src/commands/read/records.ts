/** The records of several partitions, as one sequence. */
import type { ConsumerRecord, LogClient, SkippedRecords } from "@logstore/client";
import type { PartitionRange } from "./partition-range.js";

/** Largest size that all partitions together may read ahead, in bytes. */
const READ_AHEAD_BYTES = 64 * 1024 * 1024;
/** Smallest size that a partition reads ahead, in bytes. */
const LEAST_READ_AHEAD_BYTES = 256 * 1024;

export interface Source {
  readonly client: LogClient;
  readonly topic: string;
  readonly signal: AbortSignal;
  /** Called for records that were deleted, or lost to damage, during reading. */
  readonly onSkipped: (skipped: SkippedRecords) => void;
}

/**
 * Yields the records of the ranges in the order of their timestamps. The records of a partition
 * keep their order.
 */
export async function* readRanges(
  { client, topic, signal, onSkipped }: Source,
  ranges: readonly PartitionRange[],
): AsyncGenerator<ConsumerRecord, void, undefined> {
  const filled = ranges.filter(({ from, until }) => from < until);
  const maxReadAheadBytes = Math.max(LEAST_READ_AHEAD_BYTES, Math.floor(READ_AHEAD_BYTES / (filled.length || 1)));
  const readers = filled.map(({ partition, from, until }) =>
    client.reader({ assign: { [topic]: [partition] }, from, until, signal, onSkipped, maxReadAheadBytes }),
  );
  try {
    if (readers.length === 1) yield* readers[0]!;
    else yield* mergeByTime(readers.map((reader) => reader[Symbol.asyncIterator]()));
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

/** Yields the records from the ends of the ranges on, as they are appended. */
export async function* followRanges(
  { client, topic, signal, onSkipped }: Source,
  ranges: readonly PartitionRange[],
): AsyncGenerator<ConsumerRecord, void, undefined> {
  const starts = Object.fromEntries(ranges.map(({ partition, until }) => [partition, until]));
  const partitions = ranges.map(({ partition }) => partition);
  yield* client.reader({ assign: { [topic]: partitions }, from: { [topic]: starts }, signal, onSkipped });
}

interface Head {
  readonly record: ConsumerRecord;
  readonly rest: AsyncIterator<ConsumerRecord, undefined>;
}

async function* mergeByTime(
  sources: readonly AsyncIterator<ConsumerRecord, undefined>[],
): AsyncGenerator<ConsumerRecord, void, undefined> {
  const heads: Head[] = []; // the latest one first
  const put = async (rest: AsyncIterator<ConsumerRecord, undefined>) => {
    const { value: record } = await rest.next();
    if (record === undefined) return;
    let [low, high] = [0, heads.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isLater(heads[middle]!.record, record)) low = middle + 1;
      else high = middle;
    }
    heads.splice(low, 0, { record, rest });
  };
  await Promise.all(sources.map(put));
  for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
    yield head.record;
    await put(head.rest);
  }
}

function isLater(a: ConsumerRecord, b: ConsumerRecord): boolean {
  return a.timestamp === b.timestamp ? a.partition > b.partition : a.timestamp > b.timestamp;
}
