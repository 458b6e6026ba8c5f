/** One partition as those see it who read: where it begins and ends, what it is made of, and how to wait for more. */
import type { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import type { Gap } from "../files/checkpoint-file.js";
import { STORED_BATCH_LIMITS } from "../segment/read-batches.js";
import type { SegmentList } from "../segment/segment-list.js";
import { BatchReader } from "./batch-reader.js";
import type { LogStoreHooks } from "./hooks.js";
import type { LogOffsets } from "./log-offsets.js";
import { offsetOfTime } from "./offset-of-time.js";
import type { PartitionTail } from "./tail-cache.js";

export interface ReadableParts {
  readonly partition: number;
  readonly segments: SegmentList;
  readonly offsets: LogOffsets;
  /** Offsets that were lost and are known to be: readers pass over them. */
  readonly gaps: readonly Gap[];
  /** Where and why the log cannot be read on, if so. */
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** The log went on to this offset at least, as far as is known from when it was opened. */
  readonly expectedEnd: number;
  /** The newest batches, where they are kept in memory. */
  readonly tail: PartitionTail | undefined;
  readonly hooks: LogStoreHooks;
}

export abstract class ReadableLog implements ReadableParts {
  readonly partition: number;
  readonly segments: SegmentList;
  readonly offsets: LogOffsets;
  readonly gaps: readonly Gap[];
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  readonly expectedEnd: number;
  readonly tail: PartitionTail | undefined;
  readonly hooks: LogStoreHooks;
  readonly limits = STORED_BATCH_LIMITS;

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

  /** One past the last record appended. Where the log is damaged: past the last one known of, which may not be readable. */
  get knownEnd(): number {
    return this.damage === undefined ? this.offsets.logEnd : Math.max(this.expectedEnd, this.offsets.logEnd);
  }

  /** Whether `offset` lies where the log is damaged: what is or was there cannot be said. */
  isDamagedAt(offset: number): boolean {
    return this.damage !== undefined && offset >= this.offsets.highWatermark;
  }

  /** Learns what it does not know yet of the log's bounds, where another process moves them. */
  async refresh(): Promise<void> {}

  /**
   * @throws OffsetOutOfRangeError where the offset is before the log's start or beyond the high watermark; the log's damage where
   * that is why nothing is known of the offset
   */
  reader(offset: number): BatchReader {
    return new BatchReader(this, offset);
  }

  /**
   * The offset that a position means now. It is not checked whether a given offset exists. "latest" of a damaged log is its known
   * end: no reader takes the place of the damage for the end.
   */
  async resolve(position: Position): Promise<number> {
    if (typeof position === "number") return position;
    if (position === "earliest") return this.offsets.logStart;
    if (position === "latest") return this.damage === undefined ? this.offsets.highWatermark : this.knownEnd;
    return offsetOfTime(this, position.time);
  }

  /**
   * Resolves when there is more to read from `offset` on, the log is closed, `signal` aborts, or after `timeoutMs`; to false
   * in the last case only.
   */
  async waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    const deadline = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    while (this.offsets.highWatermark <= offset && !this.isClosed && !signal?.aborted) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await this.offsets.change(signal, leftMs);
    }
    return true;
  }
}
