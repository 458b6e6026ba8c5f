/** One partition as a store's user sees it. */
import type { PartitionLog } from "../partition/partition-log.js";

/** Whole record batches in a file: to be sent on by whoever can hand a file to the kernel, without copying into user space. */
export interface Slice {
  /** File descriptor; it stays the store's, and valid until the store is closed. Undefined in memory. */
  readonly fd: number | undefined;
  /** Byte in the file. */
  readonly position: number;
  /** Bytes. */
  readonly length: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
}

export class Partition {
  readonly #log: PartitionLog;

  constructor(log: PartitionLog) {
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
   * Where the batches from `offset` on lie on disk (they are read once to find where the last one ends): whole ones, `maxBytes` at most unless the first alone is longer. The first
   * may begin before `offset`. Undefined at the end.
   *
   * @throws OffsetOutOfRangeError, CorruptPartitionError
   */
  async slice(offset: number, maxBytes: number): Promise<Slice | undefined> {
    const reader = this.#log.reader(offset);
    const slice = await reader.slice(maxBytes);
    if (slice === undefined) return undefined;
    const fd = (await (await slice.segment.file()).hold()).descriptor;
    return { fd, position: slice.position, length: slice.length, nextOffset: reader.offset };
  }
}
