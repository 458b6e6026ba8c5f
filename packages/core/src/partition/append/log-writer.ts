/**
 * The writer of a partition: assigns offsets, rolls segments, makes data durable and publishes it.
 * Nothing else modifies the end of the log.
 */
import type { RecordBatch } from "@logstore/codec";
import { assignOffsets } from "../../engine/append/assign-offsets.js";
import type { ProducerState } from "../../engine/append/producer-state.js";
import { type Checkpoint, writeCheckpoint } from "../../files/checkpoint-file.js";
import { type CommittedEvent, tell } from "../../hooks/hooks.js";
import { isClockBehind } from "../../hooks/warnings.js";
import { shouldRoll } from "../../segment/roll-policy.js";
import { Segment, type SegmentHome } from "../../segment/segment.js";
import { zerosAhead } from "../../segment/zeros-ahead.js";
import type { ReadableLog } from "../read/readable-log.js";
import type { PendingAppend } from "./append-queue.js";
import { BehindTheWriter } from "./behind-the-writer.js";
import type { PublishBounds, StoreTies, WriterOptions, WriterStart } from "./store-ties.js";

/**
 * Before a write, the check that acknowledged the previous group is good enough if it is this
 * recent: no check is younger than the time that the write takes.
 */
const RECENT_MS = 1;

export class LogWriter {
  readonly #home: SegmentHome;
  readonly #log: ReadableLog;
  /** The options may be altered at any time. */
  readonly #options: WriterOptions;
  readonly #producers: ProducerState;
  readonly #behind: BehindTheWriter;
  readonly #publishBounds: PublishBounds;
  readonly #checkOwner: StoreTies["checkOwner"];
  readonly #clockIsBehind: StoreTies["clockIsBehind"];
  #lastAppendTime: number;
  /** Whether anything is not covered by the checkpoint. */
  #dirty: boolean;
  /** Adds what was written and is not readable yet to the tail cache. */
  #cache: (() => void) | undefined;
  #checkpointSegment: number | undefined;

  constructor(
    home: SegmentHome,
    log: ReadableLog,
    options: WriterOptions,
    start: WriterStart,
    { publishBounds, checkOwner, clockIsBehind }: StoreTies,
  ) {
    this.#home = home;
    this.#log = log;
    this.#options = options;
    this.#producers = start.producers;
    this.#behind = new BehindTheWriter();
    this.#publishBounds = publishBounds;
    this.#checkOwner = checkOwner;
    this.#clockIsBehind = clockIsBehind;
    this.#lastAppendTime = start.lastAppendTime;
    this.#checkpointSegment = start.checkpointSegment;
    this.#dirty = start.isBeyondCheckpoint;
  }

  /** Base offset of the segment in the checkpoint on disk; undefined if there is none. */
  get checkpointSegment(): number | undefined {
    return this.#checkpointSegment;
  }

  get lastAppendTime(): number {
    return this.#lastAppendTime;
  }

  /**
   * Writes a group and resolves its callers. Offsets are assigned only here, so that a refused
   * append leaves no gap. If it rejects, no caller was resolved, and it is unknown what reached the
   * disk.
   */
  async commit(group: readonly PendingAppend[]): Promise<void> {
    this.#behind.check();
    this.#checkOwner(RECENT_MS);
    const now = this.#now();
    const accepted: RecordBatch[] = [];
    const owned = new Set<RecordBatch>();
    const answers: (() => void)[] = [];
    const { offsets, partition } = this.#log;
    const place = { partition, producers: this.#producers, now, flushedUpTo: offsets.flushedUpTo };
    let logEnd = { offset: offsets.logEnd, appendTime: this.#lastAppendTime };
    let wantsFlush = false;
    for (const append of group) {
      try {
        const assigned = assignOffsets(append, logEnd, place);
        for (const batch of assigned.accepted) {
          accepted.push(batch);
          if (append.isOwned) owned.add(batch);
        }
        logEnd = assigned.logEnd;
        wantsFlush ||= append.durability === "flushed";
        answers.push(() => append.resolve({ ...assigned.appended, durability: wantsFlush ? "flushed" : "written" }));
      } catch (error) {
        answers.push(() => append.reject(error));
      }
    }
    const begun = performance.now();
    const bytes = byteLengthOf(accepted);
    const writing = accepted.length > 0 ? this.#write(accepted, bytes, logEnd.offset, wantsFlush, owned) : undefined;
    if (writing !== undefined) await writing;
    const written = performance.now();
    if (accepted.length > 0) this.#lastAppendTime = logEnd.appendTime;
    // A duplicate needs its durability, too: the original append may have been acknowledged as
    // written.
    if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await this.sync();
    const synced = performance.now();
    this.#checkOwner(); // if the directory has a new owner, that may have read it without this group
    const publishing = this.#publish();
    if (publishing !== undefined) await publishing;
    for (const answer of answers) answer();
    if (accepted.length > 0) {
      const event: CommittedEvent = {
        partition,
        appends: group.reduce((sum, { calls }) => sum + calls, 0),
        records: accepted.reduce((sum, { recordCount }) => sum + recordCount, 0),
        bytes,
        writeMs: written - begun,
        syncMs: wantsFlush ? synced - written : undefined,
      };
      tell(() => this.#options.hooks.committed?.(event));
    }
  }

  /** Reports a clock that is behind the last append time. */
  #now(): number {
    const now = this.#home.storage.now();
    if (isClockBehind(now, this.#lastAppendTime)) {
      this.#clockIsBehind(this.#log.partition, now, this.#lastAppendTime);
    }
    return now;
  }

  /** Makes everything durable, and writes a checkpoint. */
  async finish(): Promise<void> {
    const { active } = this.#log.segments;
    if (active === undefined || !this.#dirty) return;
    await active.cutZeros();
    await this.sync();
    await active.indexFile.write();
    await this.checkpoint(this.#log.offsets.logStart);
  }

  /** Waits until every finished segment is durable. @throws if one could not be made durable */
  async settleFinished(): Promise<void> {
    await this.#behind.settle();
  }

  /** Waits for background work, and ignores its errors. */
  async settle(): Promise<void> {
    await this.#behind.settle().catch(() => {});
  }

  /**
   * Makes everything durable, starting with the segment before the active one if its sync is still
   * in progress.
   */
  async sync(): Promise<void> {
    if (this.#behind.isRunning) await this.#behind.settle();
    this.#behind.check();
    await this.#log.segments.active?.sync();
    this.#log.offsets.flushed(this.#log.offsets.logEnd);
  }

  /**
   * Rolls to a new segment. The finished one is made durable in the background: before the next
   * roll, and before any flush.
   */
  async roll(): Promise<Segment> {
    const { segments, offsets, partition } = this.#log;
    const finished = segments.active;
    if (finished === undefined) await this.#home.storage.makeDirectory(this.#home.directory);
    else {
      await this.#behind.settle();
      await finished.cutZeros();
      await finished.indexFile.write();
      finished.finish();
    }
    const segment = await Segment.create(this.#home, offsets.logEnd);
    segments.add(segment);
    const checkpoint = await this.describe(offsets.logStart);
    if (finished === undefined) await this.#writeCheckpoint(checkpoint);
    else {
      tell(() => this.#options.hooks.rolled?.({ partition, baseOffset: segment.baseOffset }));
      this.#behind.start(async () => {
        await finished.sync();
        offsets.flushed(segment.baseOffset);
        // The segment in the checkpoint still exists, because a deletion waits for this task.
        await this.#writeCheckpoint(checkpoint);
      });
    }
    return segment;
  }

  /** Writes a checkpoint. Must be called directly after everything was synced. */
  async checkpoint(logStart: number): Promise<void> {
    await this.#writeCheckpoint(await this.describe(logStart));
  }

  async #writeCheckpoint(checkpoint: Checkpoint): Promise<void> {
    await writeCheckpoint(this.#home.storage, this.#home.directory, checkpoint);
    this.#checkpointSegment = checkpoint.segment;
  }

  /** The checkpoint that is valid once everything written so far is durable. */
  async describe(logStart: number): Promise<Checkpoint> {
    const active = this.#log.segments.active!;
    return {
      logStart,
      recoveryPoint: this.#log.offsets.logEnd,
      segment: active.baseOffset,
      position: await active.size(),
      lastAppendTime: this.#lastAppendTime,
      producers: this.#producers.snapshot(),
      gaps: this.#log.gaps.filter(([, to]) => to > logStart),
    };
  }

  /**
   * @param owned those of the batches whose memory may be freed as soon as it is not needed
   * @returns undefined if they are written
   */
  #write(
    batches: readonly RecordBatch[],
    bytes: number,
    nextOffset: number,
    wantsFlush: boolean,
    owned: ReadonlySet<RecordBatch>,
  ): Promise<void> | undefined {
    this.#dirty = true;
    const { segmentBytes } = this.#options;
    const zeros = (sizeBytes: number) => (wantsFlush ? zerosAhead({ sizeBytes, groupBytes: bytes, segmentBytes }) : 0);
    const writeInto = (segment: Segment) => {
      const position = segment.activeSize;
      const written = () => {
        this.#producers.written();
        this.#log.offsets.wrote(nextOffset);
        this.#cache = () => this.#log.tail?.add(batches, segment, position, owned);
      };
      const writing = segment.write(batches, zeros);
      if (writing !== undefined) return writing.then(written);
      written();
      return undefined;
    };
    const segment = this.#segmentWithRoom(bytes);
    return segment === undefined ? this.roll().then(writeInto) : writeInto(segment);
  }

  /** The active segment; undefined if a roll is due. */
  #segmentWithRoom(groupBytes: number): Segment | undefined {
    const { active } = this.#log.segments;
    if (active === undefined) return undefined;
    const { segmentBytes } = this.#options;
    const [sizeBytes, offsets] = [active.activeSize, this.#log.offsets.logEnd - active.baseOffset];
    return shouldRoll({ sizeBytes, offsets, groupBytes, segmentBytes }) ? undefined : active;
  }

  /**
   * Makes everything written readable, also in other processes. Returns undefined if that is done.
   * The tail cache gets it last, because it may free it: until then, the append may fail, and its
   * caller still needs the bytes.
   */
  #publish(): Promise<void> | undefined {
    const { partition, segments, offsets } = this.#log;
    segments.active?.publish();
    if (offsets.logEnd === offsets.highWatermark) return undefined;
    const published = () => {
      this.#cache?.();
      this.#cache = undefined;
      offsets.publish();
    };
    const publishing = this.#publishBounds(partition, offsets.logStart, offsets.logEnd);
    if (publishing !== undefined) return publishing.then(published);
    published();
    return undefined;
  }
}

function byteLengthOf(batches: readonly RecordBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.byteLength, 0);
}
