/** One partition as a store's user sees it. */
import { ClosedError, LogStoreError } from "@logstore/codec";
import { readError } from "../partition/read/damage.js";
import type { ReadableLog } from "../partition/read/readable-log.js";
import { checkSliceBytes } from "./check-options.js";

/**
 * Whole record batches in a file: to be sent on by whoever can hand a file to the kernel, without
 * copying into user space. Release it when that is done: it counts as an open file until then.
 */
export interface Slice extends Disposable {
  /** File descriptor, the store's; valid until the slice is released. Undefined in memory. */
  readonly fd: number | undefined;
  /** Byte in the file. */
  readonly position: number;
  /** Bytes. */
  readonly length: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
  release(): void;
}

/** A partition of an open store: its bounds, and where its bytes lie. */
export class Partition {
  readonly #log: ReadableLog;

  /** @internal */
  constructor(log: ReadableLog) {
    this.#log = log;
  }

  get index(): number {
    return this.#log.partition;
  }

  /** Offset of the first record. */
  get startOffset(): number {
    return this.#log.offsets.logStart;
  }

  /** One past the last record that may be read. */
  get endOffset(): number {
    return this.#log.offsets.highWatermark;
  }

  /**
   * Where the batches from `offset` on lie on disk: whole ones, `maxBytes` at most unless the first
   * alone is longer. The first may begin before `offset`. Undefined at the end. They are read once,
   * to find where the last one ends.
   *
   * @throws InvalidArgumentError, OffsetOutOfRangeError, CorruptPartitionError, StorageFailedError,
   * BufferFullError, ClosedError
   */
  async slice(offset: number, maxBytes: number): Promise<Slice | undefined> {
    checkSliceBytes(maxBytes);
    for (;;) {
      const reader = this.#log.reader(offset);
      const slice = await reader.slice(maxBytes);
      if (slice === undefined) return undefined;
      try {
        const { descriptor, release } = await (await slice.segment.file()).hold();
        const { position, length } = slice;
        return { fd: descriptor, position, length, nextOffset: reader.offset, release, [Symbol.dispose]: release };
      } catch (error) {
        const wasDeleted = error instanceof ClosedError && !this.#log.isClosed; // its records, just now
        if (wasDeleted) continue;
        if (error instanceof LogStoreError) throw error;
        throw this.#log.cameUpon(readError(this.#log, slice.segment, offset, error));
      }
    }
  }
}
