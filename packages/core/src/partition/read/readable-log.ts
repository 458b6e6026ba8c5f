/**
 * A partition's log for readers: its bounds, its segments, its damage, and waits for new records.
 * The base of a log that is open for writing, and of one that follows another process.
 */
import type { LogStoreError, RecordBatch } from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import type { Chunk, Gap } from "../../engine/partition-log.js";
import { STORED_BATCH_LIMITS } from "../../engine/read/buffers.js";
import type { LogOffsets } from "../../engine/read/log-offsets.js";
import { checkedPosition } from "../../engine/read/position.js";
import { waitBeyond } from "../../engine/read/wait-beyond.js";
import { type LogStoreHooks, tell } from "../../hooks/hooks.js";
import type { SegmentList } from "../../segment/segment-list.js";
import { appendTimeAt } from "./append-time-at.js";
import { BatchReader, type FileChunk } from "./batch-reader.js";
import { damagedAt } from "./damage.js";
import { type Damage, FoundDamage } from "./found-damage.js";
import { offsetOfTime } from "./offset-of-time.js";
import type { ReadSource } from "./read-source.js";
import type { PartitionTail } from "./tail-cache.js";

/** The parts of a log. */
export interface ReadableParts
  extends Pick<ReadSource, "partition" | "segments" | "offsets" | "gaps" | "damage" | "tail" | "hooks"> {
  /** The log had reached at least this offset, as far as was known when it was opened. */
  readonly expectedEnd: number;
}

export abstract class ReadableLog implements ReadSource, ReadableParts {
  readonly partition: number;
  readonly segments: SegmentList;
  readonly offsets: LogOffsets;
  readonly gaps: readonly Gap[];
  readonly damage: Damage | undefined;
  readonly expectedEnd: number;
  readonly tail: PartitionTail | undefined;
  readonly hooks: LogStoreHooks;
  readonly limits = STORED_BATCH_LIMITS;
  readonly #found = new FoundDamage();

  constructor({ partition, segments, offsets, gaps, damage, expectedEnd, tail, hooks }: ReadableParts) {
    this.partition = partition;
    this.segments = segments;
    this.offsets = offsets;
    this.gaps = gaps;
    this.damage = damage;
    this.expectedEnd = expectedEnd;
    this.tail = tail;
    this.hooks = hooks;
  }

  abstract get isClosed(): boolean;

  /**
   * Offset after the last record appended; if the log is damaged, after the last known record,
   * which may not be readable.
   */
  get knownEnd(): number {
    return this.damage === undefined ? this.offsets.logEnd : Math.max(this.expectedEnd, this.offsets.logEnd);
  }

  /**
   * Why the log cannot be read to its end: damage found when it was opened, or by a read since
   * then. Undefined if there is none.
   */
  get knownDamage(): Damage | undefined {
    if (this.damage !== undefined) return this.damage;
    this.#found.startsAt(this.offsets.logStart);
    return this.#found.first;
  }

  noteDamage<E>(error: E): E {
    const { partition } = this;
    if (this.#found.add(error)) tell(() => this.hooks.damaged?.({ partition, error }));
    return error;
  }

  wasRead(from: number, to: number): void {
    this.#found.wasRead(from, to);
  }

  /**
   * Called before everything is checked. Returns a function to call if no damage was found: damage
   * known before is then forgotten.
   */
  beginCheck(): () => void {
    const places = this.#found.places();
    return () => this.#found.forget(places);
  }

  /** Whether `offset` is in the damaged part of the log, the contents of which are unknown. */
  isDamagedAt(offset: number): boolean {
    return this.damage !== undefined && offset >= this.offsets.highWatermark;
  }

  /** Whether waits end, because new records are no longer noticed. */
  get isOver(): boolean {
    return this.isClosed;
  }

  /** @throws the damage of the log, if there is any: its end is then unknown */
  checkEnd(): void {
    if (this.damage !== undefined) throw this.damage;
  }

  /** Updates the bounds if another process changes them. */
  refresh(): Promise<void> | undefined {
    return undefined;
  }

  /** Records that a batch is corrupt. Returns the error to throw. */
  noteCorrupt(batch: RecordBatch, chunk: Chunk, cause: Error): LogStoreError {
    const { segment, position, bytes } = chunk as FileChunk; // this log's chunks have these fields
    const byte = position + batch.bytes.byteOffset - bytes.byteOffset;
    return this.noteDamage(damagedAt(this, segment, batch.baseOffset, byte, cause));
  }

  /** Append time of a record; undefined if it is deleted or cannot be read. */
  appendTimeAt(offset: number): Promise<number | undefined> {
    return appendTimeAt(this, offset);
  }

  /**
   * @throws OffsetOutOfRangeError if the offset is below the log start or above the high watermark;
   * the damage of the log if the offset is in its damaged part
   */
  reader(offset: number): BatchReader {
    return new BatchReader(this, offset);
  }

  /**
   * Resolves a position to an offset. A given offset is not checked. "latest" of a damaged log is
   * its known end, so that no reader mistakes the start of the damage for the end of the log.
   */
  async resolve(given: Position): Promise<number> {
    const position = checkedPosition(given);
    if (typeof position === "number") return position;
    if (position === "earliest") return this.offsets.logStart;
    if (position === "latest") return this.damage === undefined ? this.offsets.highWatermark : this.knownEnd;
    return offsetOfTime(this, position.time);
  }

  /**
   * Resolves when there are records beyond `offset`, the log is closed, `signal` is aborted, or
   * after `timeoutMs`; to false in the last case only.
   */
  waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    return waitBeyond(this.offsets, offset, () => this.isOver, signal, timeoutMs);
  }
}
