/** The one who writes a partition: assigns offsets, rolls segments, makes durable, publishes. Nobody else touches the log's end. */
import { type RecordBatch, WrongExpectedOffsetError } from "@logstore/codec";
import { writeCheckpoint } from "../files/checkpoint-file.js";
import { shouldRoll } from "../segment/roll-policy.js";
import { Segment } from "../segment/segment.js";
import type { Storage } from "../storage/storage.js";
import type { Appended, PendingAppend } from "./append-queue.js";
import type { ReadableLog } from "./batch-reader.js";
import { FlushBehind } from "./flush-behind.js";
import type { ProducerState } from "./producer-state.js";
import type { RecoveredLog } from "./recovery.js";

export class LogWriter {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #log: ReadableLog;
  readonly #segmentBytes: number;
  readonly #producers: ProducerState;
  readonly #flushBehind: FlushBehind;
  #lastAppendTime: number;
  /** Whether there is anything that the checkpoint does not say. */
  #dirty: boolean;

  constructor(storage: Storage, directory: string, log: ReadableLog, segmentBytes: number, recovered: RecoveredLog) {
    this.#storage = storage;
    this.#directory = directory;
    this.#log = log;
    this.#segmentBytes = segmentBytes;
    this.#producers = recovered.producers;
    this.#flushBehind = new FlushBehind(log.offsets);
    this.#lastAppendTime = recovered.lastAppendTime;
    this.#dirty = recovered.scanned;
  }

  /**
   * Writes a group and answers everybody in it. Offsets are assigned here and nowhere else: a refused append leaves no gap. Where
   * it rejects, nobody was answered, and what reached the disk is not known.
   */
  async commit(group: readonly PendingAppend[]): Promise<void> {
    this.#flushBehind.check();
    const appendTime = Math.max(this.#storage.now(), this.#lastAppendTime);
    const accepted: RecordBatch[] = [];
    const answers: (() => void)[] = [];
    const { offsets, segments } = this.#log;
    let nextOffset = offsets.logEnd;
    let wantsFlush = false;
    for (const append of group) {
      try {
        const assigned = this.#assign(append, nextOffset, appendTime);
        for (const batch of assigned.accepted) accepted.push(batch);
        nextOffset = assigned.logEnd;
        wantsFlush ||= append.durability === "flushed";
        answers.push(() => append.resolve({ ...assigned.appended, durability: wantsFlush ? "flushed" : "written" }));
      } catch (error) {
        answers.push(() => append.reject(error));
      }
    }
    if (accepted.length > 0) await this.#write(accepted, nextOffset, wantsFlush);
    this.#lastAppendTime = appendTime;
    // A duplicate asks for its durability too: its first append may have been written only.
    if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await this.#sync(segments.active!);
    segments.active?.publish();
    offsets.publish();
    for (const answer of answers) answer();
  }

  /** Makes everything durable, and notes where to start from. */
  async finish(): Promise<void> {
    const { active } = this.#log.segments;
    if (active === undefined || !this.#dirty) return;
    await this.#sync(active);
    await active.writeIndex();
    await this.#checkpoint(active);
  }

  /** A sync behind the writer is waited for first: of two at once, the system tells only one of an error. */
  async #sync(active: Segment): Promise<void> {
    await this.#flushBehind.settle();
    await active.sync();
    this.#log.offsets.flushed(this.#log.offsets.logEnd);
  }

  /** Gives an append's batches their offsets, leaving out those that are here already. */
  #assign(
    { batches, expectedOffset }: PendingAppend,
    logEnd: number,
    appendTime: number,
  ): { accepted: RecordBatch[]; logEnd: number; appended: Omit<Appended, "durability"> } {
    const known = this.#producers.check(batches);
    // What is here already was expected to go where it went.
    const isNew = known.includes(undefined);
    if (isNew && expectedOffset !== undefined && expectedOffset !== logEnd) {
      throw wrongExpectedOffset(this.#log.partition, expectedOffset, logEnd);
    }
    const { flushedUpTo } = this.#log.offsets;
    const accepted: RecordBatch[] = [];
    let end = logEnd;
    for (const [i, batch] of batches.entries()) {
      if (known[i] !== undefined) continue;
      const placed = batch.accept({ baseOffset: end, appendTime, flushedUpTo });
      this.#producers.appended(placed);
      accepted.push(placed);
      end = placed.nextOffset;
    }
    const lastKnown = known.at(-1);
    return {
      accepted,
      logEnd: end,
      appended: {
        baseOffset: known[0] ?? logEnd,
        nextOffset: lastKnown === undefined ? end : lastKnown + batches.at(-1)!.recordCount,
        duplicate: accepted.length === 0,
      },
    };
  }

  async #write(batches: readonly RecordBatch[], nextOffset: number, wantsFlush: boolean): Promise<void> {
    this.#dirty = true;
    const segment = await this.#segmentFor(batches);
    await segment.write(batches);
    this.#producers.written();
    this.#log.offsets.wrote(nextOffset);
    if (!wantsFlush) this.#flushBehind.wrote(segment, byteLengthOf(batches));
  }

  async #segmentFor(batches: readonly RecordBatch[]): Promise<Segment> {
    const { active } = this.#log.segments;
    const baseOffset = this.#log.offsets.logEnd;
    if (active === undefined) await this.#storage.makeDirectory(this.#directory);
    else {
      const groupBytes = byteLengthOf(batches);
      const segmentBytes = this.#segmentBytes;
      const [sizeBytes, offsets] = [await active.size(), baseOffset - active.baseOffset];
      if (!shouldRoll({ sizeBytes, offsets, groupBytes, segmentBytes })) return active;
      // A segment that is no longer written to is durable to its end: only the last one can be torn.
      await this.#sync(active);
      await active.writeIndex();
    }
    const segment = await Segment.create(this.#storage, this.#directory, baseOffset, this.#log.limits);
    this.#log.segments.add(segment);
    await this.#checkpoint(segment);
    return segment;
  }

  /** Only right after the active segment was synced, or made. */
  async #checkpoint(active: Segment): Promise<void> {
    await writeCheckpoint(this.#storage, this.#directory, {
      recoveryPoint: this.#log.offsets.logEnd,
      segment: active.baseOffset,
      position: await active.size(),
      lastAppendTime: this.#lastAppendTime,
      producers: this.#producers.snapshot(),
    });
  }
}

function byteLengthOf(batches: readonly RecordBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.byteLength, 0);
}

function wrongExpectedOffset(partition: number, expected: number, actual: number): WrongExpectedOffsetError {
  return new WrongExpectedOffsetError(
    `offset ${expected} was expected to be the log end offset of partition ${partition}, which is ${actual}: read what came between, and decide again`,
    { partition, expected, actual },
  );
}
