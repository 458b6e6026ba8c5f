/** The one who writes a partition: assigns offsets, rolls segments, makes durable, publishes. Nobody else touches the log's end. */
import { type RecordBatch, WrongExpectedOffsetError } from "@logstore/codec";
import { writeCheckpoint } from "../files/checkpoint-file.js";
import { shouldRoll } from "../segment/roll-policy.js";
import { Segment, type SegmentHome } from "../segment/segment.js";
import { zerosAhead } from "../segment/zeros-ahead.js";
import type { Appended, PendingAppend } from "./append-queue.js";
import { FlushBehind } from "./flush-behind.js";
import type { LogStoreHooks } from "./hooks.js";
import type { ProducerState } from "./producer-state.js";
import type { ReadableLog } from "./readable-log.js";
import type { RecoveredLog } from "./recovery.js";

export interface WriterOptions {
  readonly segmentBytes: number;
  readonly hooks: LogStoreHooks;
}

/** Told of a partition's bounds before anybody is who appended. */
export type PublishBounds = (logStart: number, highWatermark: number) => Promise<void>;

export class LogWriter {
  readonly #home: SegmentHome;
  readonly #log: ReadableLog;
  /** They may be altered at any time. */
  readonly #options: WriterOptions;
  readonly #producers: ProducerState;
  readonly #flushBehind: FlushBehind;
  readonly #publishBounds: PublishBounds;
  #lastAppendTime: number;
  /** Whether there is anything that the checkpoint does not say. */
  #dirty: boolean;

  constructor(
    home: SegmentHome,
    log: ReadableLog,
    options: WriterOptions,
    recovered: RecoveredLog,
    publishBounds: PublishBounds,
  ) {
    this.#home = home;
    this.#log = log;
    this.#options = options;
    this.#producers = recovered.producers;
    this.#flushBehind = new FlushBehind(log.offsets);
    this.#publishBounds = publishBounds;
    this.#lastAppendTime = recovered.lastAppendTime;
    this.#dirty = recovered.active?.isBeyondCheckpoint === true || recovered.tornTail !== undefined;
  }

  get lastAppendTime(): number {
    return this.#lastAppendTime;
  }

  /**
   * Writes a group and answers everybody in it. Offsets are assigned here and nowhere else: a refused append leaves no gap. Where
   * it rejects, nobody was answered, and what reached the disk is not known.
   */
  async commit(group: readonly PendingAppend[]): Promise<void> {
    this.#flushBehind.check();
    const appendTime = Math.max(this.#home.storage.now(), this.#lastAppendTime);
    const accepted: RecordBatch[] = [];
    const answers: (() => void)[] = [];
    const { offsets } = this.#log;
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
    const begun = performance.now();
    if (accepted.length > 0) await this.#write(accepted, nextOffset, wantsFlush);
    const written = performance.now();
    this.#lastAppendTime = appendTime;
    // A duplicate asks for its durability too: its first append may have been written only.
    if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await this.sync();
    await this.#publish();
    for (const answer of answers) answer();
    if (accepted.length > 0) {
      this.#options.hooks.committed?.({
        partition: this.#log.partition,
        appends: group.length,
        records: accepted.reduce((sum, { recordCount }) => sum + recordCount, 0),
        bytes: byteLengthOf(accepted),
        writeMs: written - begun,
        syncMs: wantsFlush ? performance.now() - written : undefined,
      });
    }
  }

  /** Makes everything durable, and notes where to start from. */
  async finish(): Promise<void> {
    const { active } = this.#log.segments;
    if (active === undefined || !this.#dirty) return;
    await active.cutZeros();
    await this.sync();
    await active.writeIndex();
    await this.checkpoint(this.#log.offsets.logStart);
  }

  /** Waits for a sync behind the writer; how it ended is not asked. */
  async settle(): Promise<void> {
    await this.#flushBehind.settle().catch(() => {});
  }

  /** A sync behind the writer is waited for first: of two at once, the system tells only one of an error. */
  async sync(): Promise<void> {
    if (this.#flushBehind.isRunning) await this.#flushBehind.settle();
    this.#flushBehind.check();
    await this.#log.segments.active?.sync();
    this.#log.offsets.flushed(this.#log.offsets.logEnd);
  }

  /** Goes on in a new segment. */
  async roll(): Promise<Segment> {
    const { active } = this.#log.segments;
    // A segment that is no longer written to is durable to its end: only the last one can be torn.
    if (active === undefined) await this.#home.storage.makeDirectory(this.#home.directory);
    else {
      await active.cutZeros();
      await this.sync();
      await active.writeIndex();
      active.finish();
    }
    const segment = await Segment.create(this.#home, this.#log.offsets.logEnd);
    this.#log.segments.add(segment);
    await this.checkpoint(this.#log.offsets.logStart);
    if (active !== undefined)
      this.#options.hooks.rolled?.({ partition: this.#log.partition, baseOffset: segment.baseOffset });
    return segment;
  }

  /** Notes where to start from. Only right after the active segment was synced, or made. */
  async checkpoint(logStart: number): Promise<void> {
    const active = this.#log.segments.active!;
    await writeCheckpoint(this.#home.storage, this.#home.directory, {
      logStart,
      recoveryPoint: this.#log.offsets.logEnd,
      segment: active.baseOffset,
      position: await active.size(),
      lastAppendTime: this.#lastAppendTime,
      producers: this.#producers.snapshot(),
      gaps: this.#log.gaps.filter(([, to]) => to > logStart),
    });
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
        duplicate: accepted.length === 0 && batches.length > 0,
      },
    };
  }

  async #write(batches: readonly RecordBatch[], nextOffset: number, wantsFlush: boolean): Promise<void> {
    this.#dirty = true;
    const bytes = byteLengthOf(batches);
    const segment = await this.#segmentFor(bytes);
    const position = await segment.size();
    const { segmentBytes } = this.#options;
    await segment.write(batches, (sizeBytes) =>
      wantsFlush ? zerosAhead({ sizeBytes, groupBytes: bytes, segmentBytes }) : 0,
    );
    this.#producers.written();
    this.#log.offsets.wrote(nextOffset);
    this.#log.tail?.add(batches, segment, position);
    if (!wantsFlush) this.#flushBehind.wrote(segment, bytes);
  }

  async #segmentFor(groupBytes: number): Promise<Segment> {
    const { active } = this.#log.segments;
    if (active === undefined) return this.roll();
    const { segmentBytes } = this.#options;
    const [sizeBytes, offsets] = [await active.size(), this.#log.offsets.logEnd - active.baseOffset];
    return shouldRoll({ sizeBytes, offsets, groupBytes, segmentBytes }) ? this.roll() : active;
  }

  /** Everything written may be read, here and elsewhere. */
  async #publish(): Promise<void> {
    const { segments, offsets } = this.#log;
    segments.active?.publish();
    if (offsets.logEnd === offsets.highWatermark) return;
    await this.#publishBounds(offsets.logStart, offsets.logEnd);
    offsets.publish();
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
