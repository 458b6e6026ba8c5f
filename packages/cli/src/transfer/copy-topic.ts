/** Copies a topic batch by batch: neither the sealed bytes nor the offsets change. */
import type { LogApi, TopicDescription } from "@logstore/client";
import { frameBatches, type RecordBatch, writeServerHalf } from "@logstore/codec";
import { CliError } from "../errors/cli-error.js";
import { count } from "../output/numbers.js";
import { isPadding, padUpTo } from "./pad-partition.js";

export interface CopyRequest {
  readonly source: LogApi;
  readonly target: LogApi;
  readonly from: TopicDescription;
  readonly to: TopicDescription;
  readonly signal: AbortSignal;
  /** Called with the number of records that were copied since the last call. */
  readonly onCopied: (records: number) => void;
}

/** Number of concurrent appends. */
const MAX_UNDER_WAY = 4;
/** Batches are joined into one append up to this size after decompression, in bytes. */
const MAX_RECORDS_BYTES = 4 * 1024 * 1024;
const LIMITS = { maxBatchBytes: 2 ** 30, maxRecordsBytes: 2 ** 31 - 1 };
const UNPLACED = { baseOffset: 0, appendTime: 0, flushedUpTo: 0 };

/**
 * Copies the records that exist when the copy of their partition begins. A partition that already
 * contains the beginning of the source is continued.
 *
 * @throws CliError if offsets cannot be kept; then nothing is appended to that partition
 */
export async function copyTopic(request: CopyRequest): Promise<void> {
  for (const { partition } of request.from.partitions) await copyPartition(request, partition);
}

async function copyPartition(request: CopyRequest, partition: number): Promise<void> {
  const { source, target, from, to, signal } = request;
  const [begin] = await source.listOffsets({ ...topicOf(from), partitions: [{ partition, position: "earliest" }] });
  const [there] = await target.listOffsets({ ...topicOf(to), partitions: [{ partition, position: "latest" }] });
  const { logStartOffset, highWatermark } = begin!;
  let position = there!.logEndOffset;
  if (position > logStartOffset) await checkContinues(request, partition, position);
  else if (position > there!.logStartOffset) await checkPadding(request, partition, there!);
  if (position >= highWatermark && logStartOffset < highWatermark) return;
  const range = { ...topicOf(from), partition, from: Math.max(position, logStartOffset), until: highWatermark };
  const appends = new Appends(request, partition);
  try {
    for await (const event of source.consume(range, { signal, readAhead: true })) {
      if (event.type === "gap" || event.type === "logStartMoved") throw lost(from.topic, partition, event);
      if (event.type !== "batches") continue;
      for (const batches of together(event.batches)) {
        const { baseOffset } = batches[0]!;
        if (baseOffset > position) await padUpTo({ target, to, partition, end: baseOffset, signal }, position);
        position = batches.at(-1)!.nextOffset;
        await appends.add(batches);
      }
    }
    signal.throwIfAborted(); // an aborted stream ends without an error
    if (position < logStartOffset) await padUpTo({ target, to, partition, end: logStartOffset, signal }, position);
  } finally {
    await appends.settled();
  }
  // The beginning of a batch may have been deleted, and what padding holds was never there.
  if (logStartOffset > there!.logStartOffset) {
    await target.deleteRecords(to.topic, partition, logStartOffset, { topicId: to.topicId || undefined });
  }
}

function topicOf({ topic, topicId }: TopicDescription) {
  return { topic, topicId: topicId || undefined };
}

/** Yields the whole batches of one append. */
function* together(bytes: Uint8Array): Generator<RecordBatch[], void> {
  let batches: RecordBatch[] = [];
  let recordsBytes = 0;
  for (const batch of frameBatches(bytes, LIMITS)) {
    if (batches.length > 0 && recordsBytes + batch.recordsLength > MAX_RECORDS_BYTES) {
      yield batches;
      batches = [];
      recordsBytes = 0;
    }
    batches.push(batch);
    recordsBytes += batch.recordsLength;
  }
  if (batches.length > 0) yield batches;
}

/**
 * Appends to one partition, a few appends at a time. Each expects the offset at which the previous
 * one ends.
 */
class Appends {
  readonly #request: CopyRequest;
  readonly #partition: number;
  readonly #underWay: Promise<void>[] = [];

  constructor(request: CopyRequest, partition: number) {
    this.#request = request;
    this.#partition = partition;
  }

  async add(batches: readonly RecordBatch[]): Promise<void> {
    if (this.#underWay.length === MAX_UNDER_WAY) await this.#underWay.shift();
    this.#request.signal.throwIfAborted();
    const appending = this.#append(batches);
    appending.catch(() => {}); // awaited later
    this.#underWay.push(appending);
  }

  async settled(): Promise<void> {
    for (const one of this.#underWay.splice(0)) await one;
  }

  async #append(batches: readonly RecordBatch[]): Promise<void> {
    const { target, to, onCopied } = this.#request;
    const { baseOffset } = batches[0]!;
    const { nextOffset } = batches.at(-1)!;
    const bytes = Buffer.concat(batches.map((batch) => batch.bytes));
    for (let at = 0, i = 0; i < batches.length; at += batches[i++]!.byteLength) writeServerHalf(bytes, UNPLACED, at);
    const partition = this.#partition;
    const ack = await target.produce({ ...topicOf(to), partition, batches: bytes, expectedOffset: baseOffset });
    if (ack.baseOffset !== baseOffset || ack.nextOffset !== nextOffset) {
      throw new CliError(
        "OFFSETS_NOT_KEPT",
        `offsets ${count(baseOffset)} to ${count(nextOffset - 1)} of partition ${partition} became ${count(ack.baseOffset)} to ${count(ack.nextOffset - 1)}: something else wrote to ${to.topic}`,
      );
    }
    onCopied(nextOffset - baseOffset);
  }
}

/** Position of the producer half of a batch, which is the same in every copy. */
const PRODUCER_HALF = 36;

/** The last batch of the target must equal the batch of the source at that offset. */
async function checkContinues(
  { source, target, from, to }: CopyRequest,
  partition: number,
  end: number,
): Promise<void> {
  const [expected, actual] = await Promise.all([
    lastBatch(source, from, partition, end),
    lastBatch(target, to, partition, end),
  ]);
  const isSame =
    expected?.baseOffset === actual?.baseOffset &&
    expected !== undefined &&
    actual !== undefined &&
    Buffer.compare(expected.bytes.subarray(PRODUCER_HALF), actual.bytes.subarray(PRODUCER_HALF)) === 0;
  if (!isSame) throw notACopy(from, to, partition, end);
}

/**
 * Below the log start offset of the source, everything in the target is going to be deleted. Only
 * the padding of an interrupted copy may be there.
 */
async function checkPadding(
  { target, from, to }: CopyRequest,
  partition: number,
  { logStartOffset, logEndOffset }: { readonly logStartOffset: number; readonly logEndOffset: number },
): Promise<void> {
  const last = await lastBatch(target, to, partition, logEndOffset);
  if (last !== undefined && last.baseOffset <= logStartOffset && isPadding(last)) return;
  throw notACopy(from, to, partition, logEndOffset);
}

/** The batch with the record before offset `end`. */
async function lastBatch(
  api: LogApi,
  topic: TopicDescription,
  partition: number,
  end: number,
): Promise<RecordBatch | undefined> {
  const { batches } = await api.fetch({ ...topicOf(topic), partition, from: end - 1, maxBytes: 1 });
  return [...frameBatches(batches, LIMITS)].find((batch) => batch.nextOffset >= end);
}

function notACopy(from: TopicDescription, to: TopicDescription, partition: number, end: number): CliError {
  return new CliError(
    "NOT_A_COPY",
    `partition ${partition} of ${to.topic} ends at offset ${count(end)}, and what it holds there is not what ${from.topic} has`,
    { hint: "copy to a new topic" },
  );
}

function lost(topic: string, partition: number, event: { readonly type: "gap" | "logStartMoved" }): CliError {
  if (event.type === "logStartMoved") {
    return new CliError(
      "OFFSET_OUT_OF_RANGE",
      `records of ${topic}, partition ${partition}, were deleted while they were copied`,
      {
        hint: "copy again, to a new topic",
      },
    );
  }
  return new CliError(
    "OFFSETS_NOT_KEPT",
    `partition ${partition} of ${topic} has a gap where a repair cut damage out, and a copy with the same offsets cannot have one`,
    {
      hint: "add --renumber to give the records new offsets",
    },
  );
}
