/** Compares a copy with its original: before it is continued, and when it is done. */
import type { LogApi, PartitionOffset, TopicDescription } from "@logstore/client";
import type { RecordBatch } from "@logstore/codec";
import { CliError } from "../errors/cli-error.js";
import { count } from "../output/numbers.js";
import { isPadding } from "./pad-partition.js";
import { type BatchRange, batchAt, batchesOf, topicOf } from "./partition-batches.js";

export interface CopyCheck {
  readonly source: LogApi;
  readonly target: LogApi;
  readonly from: TopicDescription;
  readonly to: TopicDescription;
  readonly partition: number;
  readonly signal: AbortSignal;
  /** Called with the number of records that were compared since the last call. */
  readonly onCompared: (records: number) => void;
}

/** Position of the producer half of a batch, which is the same in every copy. */
const PRODUCER_HALF = 36;

/**
 * Compares the bytes of all records that both topics hold in a partition; there must be one at
 * least. If the target ends where the source begins, or before, it may hold padding only.
 *
 * @throws CliError NOT_A_COPY
 */
export async function checkCopy(check: CopyCheck, source: PartitionOffset, target: PartitionOffset): Promise<void> {
  const problem = await problemOf(check, source, target);
  if (problem === undefined) return;
  const { partition, to } = check;
  throw new CliError("NOT_A_COPY", `partition ${partition} of ${to.topic} ${problem}`, {
    hint: "nothing was changed; copy to a new topic",
  });
}

/**
 * Reads what was copied from both topics, and compares the bytes. What the target has deleted
 * since, by its retention, is left out.
 *
 * @throws CliError NOT_A_COPY
 */
export async function checkCopied(check: CopyCheck, begin: number, end: number): Promise<void> {
  const { target, from, to, partition } = check;
  const [bounds] = await target.listOffsets({ ...topicOf(to), partitions: [{ partition, position: "earliest" }] });
  const offset = await firstDifference(check, Math.max(begin, bounds!.logStartOffset), end);
  if (offset === undefined) return;
  throw new CliError(
    "NOT_A_COPY",
    `partition ${partition} of ${to.topic} differs from ${from.topic} at offset ${count(offset)}`,
    { hint: "something else writes to the copy: delete it, and copy again" },
  );
}

async function problemOf(
  check: CopyCheck,
  source: PartitionOffset,
  target: PartitionOffset,
): Promise<string | undefined> {
  const { from, to, partition } = check;
  const { logStartOffset, logEndOffset: end } = target;
  if (end <= source.logStartOffset) {
    if (end === logStartOffset) return undefined;
    const last = await batchAt(check.target, to, partition, end - 1);
    if (last !== undefined && last.baseOffset <= logStartOffset && isPadding(last)) return undefined;
    return `has records before offset ${count(source.logStartOffset)}, where ${from.topic} begins`;
  }
  if (end > source.highWatermark) {
    return `ends at offset ${count(end)}, after ${from.topic}, which ends at ${count(source.highWatermark)}`;
  }
  if (end === logStartOffset) return `is empty and begins at offset ${count(end)}: there is nothing to compare`;
  const offset = await firstDifference(check, Math.max(source.logStartOffset, logStartOffset), end);
  return offset === undefined ? undefined : `differs from ${from.topic} at offset ${count(offset)}`;
}

/** Returns the base offset of the first batch that differs, undefined if there is none. */
async function firstDifference(check: CopyCheck, begin: number, end: number): Promise<number | undefined> {
  if (end <= begin) return undefined;
  const { source, target, from, to, partition, signal, onCompared } = check;
  const range = { partition, from: begin, until: end, signal };
  await using copies = eachBatch({ ...range, api: target, topic: to });
  let position = begin;
  for await (const batch of eachBatch({ ...range, api: source, topic: from })) {
    const { value: copy } = await copies.next();
    if (!copy || !isSame(batch, copy)) return Math.max(position, batch.baseOffset);
    onCompared(batch.nextOffset - position);
    position = batch.nextOffset;
  }
  return position < end ? position : undefined;
}

async function* eachBatch(range: BatchRange): AsyncGenerator<RecordBatch, void> {
  for await (const some of batchesOf(range)) yield* some;
}

function isSame(a: RecordBatch, b: RecordBatch): boolean {
  return (
    a.baseOffset === b.baseOffset &&
    Buffer.compare(a.bytes.subarray(PRODUCER_HALF), b.bytes.subarray(PRODUCER_HALF)) === 0
  );
}
