/** Copies a topic batch by batch: neither the sealed bytes nor offsets and append times change. */
import type { LogApi, TopicDescription } from "@logstore/client";
import { type RecordBatch, writeServerHalf } from "@logstore/codec";
import { CliError } from "../errors/cli-error.js";
import { count } from "../output/numbers.js";
import { checkCopied, checkCopy } from "./check-copy.js";
import { padUpTo } from "./pad-partition.js";
import { batchesOf, topicOf } from "./partition-batches.js";

export interface CopyRequest {
  readonly source: LogApi;
  readonly target: LogApi;
  readonly from: TopicDescription;
  readonly to: TopicDescription;
  readonly signal: AbortSignal;
  /** Whether what is copied is read from the target afterwards, and compared. */
  readonly verify: boolean;
  /** Called with the number of records that were copied since the last call. */
  readonly onCopied: (records: number) => void;
  /** Called with the number of records that were found in the target since the last call. */
  readonly onCompared: (records: number) => void;
}

/** Number of concurrent appends. */
const MAX_UNDER_WAY = 4;
/** Batches are joined into one append up to this size after decompression, in bytes. */
const MAX_RECORDS_BYTES = 4 * 1024 * 1024;

/**
 * Copies the records that exist when the copy of their partition begins. A partition that already
 * holds the beginning of the source is continued. No record that the target held before is deleted.
 *
 * @throws CliError NOT_A_COPY, before anything is changed in that partition; OFFSETS_NOT_KEPT at a
 * gap in the source, when the records before it are copied
 */
export async function copyTopic(request: CopyRequest): Promise<void> {
  for (const { partition } of request.from.partitions) await copyPartition(request, partition);
}

async function copyPartition(request: CopyRequest, partition: number): Promise<void> {
  const { source, target, from, to, signal } = request;
  const [begin] = await source.listOffsets({ ...topicOf(from), partitions: [{ partition, position: "earliest" }] });
  const [there] = await target.listOffsets({ ...topicOf(to), partitions: [{ partition, position: "latest" }] });
  await checkCopy({ ...request, partition }, begin!, there!);
  const { logStartOffset, highWatermark } = begin!;
  let position = there!.logEndOffset;
  const deleteUpTo = (offset: number) =>
    target.deleteRecords(to.topic, partition, offset, { topicId: to.topicId || undefined });
  // The padding of an interrupted copy.
  if (position <= logStartOffset && position > there!.logStartOffset) await deleteUpTo(position);
  const range = { partition, from: Math.max(position, logStartOffset), until: highWatermark };
  const appends = new Appends(request, partition, logStartOffset);
  try {
    for await (const some of batchesOf({ ...range, api: source, topic: from, signal })) {
      for (const batches of together(some)) {
        const { baseOffset } = batches[0]!;
        if (baseOffset > position) await padUpTo({ target, to, partition, end: baseOffset, signal }, position);
        position = batches.at(-1)!.nextOffset;
        await appends.add(batches);
        if (baseOffset >= logStartOffset) continue;
        await appends.settled();
        await deleteUpTo(logStartOffset); // the beginning of the first batch was deleted
      }
    }
    if (position < logStartOffset) await padUpTo({ target, to, partition, end: logStartOffset, signal }, position);
  } finally {
    await appends.settled();
  }
  if (request.verify) await checkCopied({ ...request, partition }, range.from, position);
}

/** Yields the whole batches of one append. */
function* together(all: Iterable<RecordBatch>): Generator<RecordBatch[], void> {
  let batches: RecordBatch[] = [];
  let recordsBytes = 0;
  for (const batch of all) {
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
  readonly #logStart: number;
  readonly #underWay: Promise<void>[] = [];
  /** The first failure. Later appends fail because they expect the offsets of the failed one. */
  #failure: { readonly error: unknown } | undefined;

  /** @param logStart records before it are copied, but not counted */
  constructor(request: CopyRequest, partition: number, logStart: number) {
    this.#logStart = logStart;
    this.#request = request;
    this.#partition = partition;
  }

  async add(batches: readonly RecordBatch[]): Promise<void> {
    if (this.#underWay.length === MAX_UNDER_WAY) await this.#settle(1);
    this.#request.signal.throwIfAborted();
    const appending = this.#append(batches);
    appending.catch(() => {}); // awaited later
    this.#underWay.push(appending);
  }

  settled(): Promise<void> {
    return this.#settle(this.#underWay.length);
  }

  /** Waits for the oldest appends. @throws the first failure of all appends */
  async #settle(count: number): Promise<void> {
    for (const one of this.#underWay.splice(0, count)) {
      await one.catch((error: unknown) => {
        this.#failure ??= { error };
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #append(batches: readonly RecordBatch[]): Promise<void> {
    const { target, to, onCopied } = this.#request;
    const { baseOffset } = batches[0]!;
    const { nextOffset } = batches.at(-1)!;
    const bytes = Buffer.concat(batches.map((batch) => batch.bytes));
    let at = 0;
    for (const { byteLength, appendTime } of batches) {
      writeServerHalf(bytes, { baseOffset: 0, appendTime, flushedUpTo: 0 }, at);
      at += byteLength;
    }
    const partition = this.#partition;
    const request = { ...topicOf(to), partition, batches: bytes, expectedOffset: baseOffset };
    const ack = await target.produce(request).catch((error: unknown) => {
      for (const batch of batches) batch.verify(); // damage in the source: the target does not know its offset
      throw error;
    });
    if (ack.baseOffset !== baseOffset || ack.nextOffset !== nextOffset) {
      throw new CliError(
        "OFFSETS_NOT_KEPT",
        `offsets ${count(baseOffset)} to ${count(nextOffset - 1)} of partition ${partition} became ${count(ack.baseOffset)} to ${count(ack.nextOffset - 1)}: something else wrote to ${to.topic}`,
      );
    }
    onCopied(nextOffset - Math.max(baseOffset, this.#logStart));
  }
}
