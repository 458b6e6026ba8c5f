/** A partition, for users of a store. */
import { ClosedError, LogStoreError } from "@logstore/codec";
import { readError } from "../partition/read/damage.js";
import type { ReadableLog } from "../partition/read/readable-log.js";
import { checkSliceBytes } from "./check-options.js";

/**
 * A range of whole record batches in a file, for programs that send files without copying them into
 * user space (sendfile). It counts as an open file until it is released.
 */
export interface Slice extends Disposable {
  /** The store's file descriptor, valid until the slice is released. Undefined in memory. */
  readonly fd: number | undefined;
  /** Byte position in the file. */
  readonly position: number;
  /** In bytes. */
  readonly length: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
  release(): void;
}

/** A partition of an open store: its bounds, and the location of its bytes. */
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

  /** Offset after the last record that may be read. */
  get endOffset(): number {
    return this.#log.offsets.highWatermark;
  }

  /**
   * Locates the batches from `offset` on: whole batches of at most `maxBytes` bytes, unless the
   * first one alone is larger. The first one may begin before `offset`. Undefined at the end of the
   * log. The batches are read once, to find the end of the last one.
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
        const wasDeleted = error instanceof ClosedError && !this.#log.isClosed; // the segment, meanwhile
        if (wasDeleted) continue;
        if (error instanceof LogStoreError) throw error;
        throw this.#log.noteDamage(readError(this.#log, slice.segment, offset, error));
      }
    }
  }
}
