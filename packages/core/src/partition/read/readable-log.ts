/**
 * One partition as those see it who read: where it begins and ends, what it is made of, and how to
 * wait for more.
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

/** What a log is made of. */
export interface ReadableParts
  extends Pick<ReadSource, "partition" | "segments" | "offsets" | "gaps" | "damage" | "tail" | "hooks"> {
  /** The log went on to this offset at least, as far as is known from when it was opened. */
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
   * One past the last record appended. Where the log is damaged: past the last one known of, which
   * may not be readable.
   */
  get knownEnd(): number {
    return this.damage === undefined ? this.offsets.logEnd : Math.max(this.expectedEnd, this.offsets.logEnd);
  }

  /**
   * Why not all of the log can be read, if so: found when it was opened, or by a read since then.
   */
  get knownDamage(): Damage | undefined {
    if (this.damage !== undefined) return this.damage;
    this.#found.startsAt(this.offsets.logStart);
    return this.#found.first;
  }

  cameUpon<E>(error: E): E {
    const { partition } = this;
    if (this.#found.add(error)) tell(() => this.hooks.damaged?.({ partition, error }));
    return error;
  }

  wasRead(from: number, to: number): void {
    this.#found.wasRead(from, to);
  }

  /**
   * Begins to check everything. What it returns is to be called where all of it was found right.
   */
  beginCheck(): () => void {
    const places = this.#found.places();
    return () => this.#found.forget(places);
  }

  /** Whether `offset` lies where the log is damaged: what is or was there cannot be said. */
  isDamagedAt(offset: number): boolean {
    return this.damage !== undefined && offset >= this.offsets.highWatermark;
  }

  /** Whether nobody is told any more when there is more to read. */
  get isOver(): boolean {
    return this.isClosed;
  }

  /** @throws what keeps it from being known that the log ends at the high watermark: its damage */
  checkEnd(): void {
    if (this.damage !== undefined) throw this.damage;
  }

  /** Learns the log's bounds where another process moves them. */
  refresh(): Promise<void> | undefined {
    return undefined;
  }

  /** Notes that the records of a batch are corrupt. Returns the error to throw. */
  noteCorrupt(batch: RecordBatch, chunk: Chunk, cause: Error): LogStoreError {
    const { segment, position, bytes } = chunk as FileChunk; // chunks are this log's own
    const byte = position + batch.bytes.byteOffset - bytes.byteOffset;
    return this.cameUpon(damagedAt(this, segment, batch.baseOffset, byte, cause));
  }

  /** Append time of the record with this offset; undefined where it is gone or cannot be read. */
  appendTimeAt(offset: number): Promise<number | undefined> {
    return appendTimeAt(this, offset);
  }

  /**
   * @throws OffsetOutOfRangeError where the offset is before the log's start or beyond the high
   * watermark; the log's damage where that is why nothing is known of the offset
   */
  reader(offset: number): BatchReader {
    return new BatchReader(this, offset);
  }

  /**
   * The offset that a position means now. It is not checked whether a given offset exists. "latest"
   * of a damaged log is its known end: no reader takes the place of the damage for the end.
   */
  async resolve(given: Position): Promise<number> {
    const position = checkedPosition(given);
    if (typeof position === "number") return position;
    if (position === "earliest") return this.offsets.logStart;
    if (position === "latest") return this.damage === undefined ? this.offsets.highWatermark : this.knownEnd;
    return offsetOfTime(this, position.time);
  }

  /**
   * Resolves when there is more to read from `offset` on, the log is closed, `signal` aborts, or
   * after `timeoutMs`; to false in the last case only.
   */
  waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    return waitBeyond(this.offsets, offset, () => this.isOver, signal, timeoutMs);
  }
}
