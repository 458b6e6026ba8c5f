/**
 * Maps offsets and times to approximate positions in a segment's log, with an entry every few KiB.
 * It is a cache that can always be rebuilt from the log. docs/format/index.md has the file format.
 */
import { crc32c } from "@logstore/codec";
import { writeInt64 } from "../files/write-int64.js";

/**
 * Minimum distance of two entries, in bytes of log. A look-up reads about this much before the
 * batch that it finds.
 */
const INTERVAL_BYTES = 16 * 1024;

const MAGIC = "LSX\u0001";
const HEADER_LENGTH = 24;
const ENTRY_LENGTH = 16;
const CRC_LENGTH = 4;

export class SparseIndex {
  // Three columns; row i is the i-th entry. Offsets, positions and append times all increase.
  readonly #offsets: number[] = [];
  readonly #positions: number[] = [];
  readonly #appendTimes: number[] = [];
  #indexedTo = -INTERVAL_BYTES;

  /** Number of entries. */
  get length(): number {
    return this.#offsets.length;
  }

  /** Adds an entry for a batch, unless it is too close to the previous entry. */
  add(baseOffset: number, position: number, appendTime: number): void {
    if (position < this.#indexedTo + INTERVAL_BYTES) return;
    this.#indexedTo = position;
    this.#offsets.push(baseOffset);
    this.#positions.push(position);
    this.#appendTimes.push(appendTime);
  }

  /** Position of a batch at or before the one that contains `offset`. */
  positionOfOffset(offset: number): number {
    return this.#positions[firstAbove(this.#offsets, offset) - 1] ?? 0;
  }

  /** Position of a batch at or before the first one that was appended at or after `time`. */
  positionOfTime(time: number): number {
    // Several entries may have the same time: take the one before the first of them.
    return this.#positions[firstAbove(this.#appendTimes, time - 1) - 1] ?? 0;
  }

  /** The entries for the first `logBytes` bytes of the log. */
  upTo(logBytes: number): SparseIndex {
    const index = new SparseIndex();
    const count = firstAbove(this.#positions, logBytes - 1);
    for (let i = 0; i < count; i++) index.add(this.#offsets[i]!, this.#positions[i]!, this.#appendTimes[i]!);
    return index;
  }

  encode(baseOffset: number, logBytes: number): Uint8Array {
    const count = this.#offsets.length;
    const file = Buffer.alloc(HEADER_LENGTH + count * ENTRY_LENGTH + CRC_LENGTH);
    file.write(MAGIC, "latin1");
    file.writeUInt32LE(count, 4);
    writeInt64(file, baseOffset, 8);
    writeInt64(file, logBytes, 16);
    for (let i = 0; i < count; i++) {
      const at = HEADER_LENGTH + i * ENTRY_LENGTH;
      file.writeUInt32LE(this.#offsets[i]! - baseOffset, at);
      file.writeUInt32LE(this.#positions[i]!, at + 4);
      writeInt64(file, this.#appendTimes[i]!, at + 8);
    }
    file.writeUInt32LE(crc32c(file, 0, file.length - CRC_LENGTH), file.length - CRC_LENGTH);
    return file;
  }

  /**
   * Decodes an index file; returns undefined if it is damaged, or belongs to another segment or
   * size.
   */
  static decode(bytes: Uint8Array, baseOffset: number, logBytes: number): SparseIndex | undefined {
    const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = file.length - CRC_LENGTH;
    if (end < HEADER_LENGTH || file.toString("latin1", 0, 4) !== MAGIC) return undefined;
    if (file.readUInt32LE(end) !== crc32c(file, 0, end)) return undefined;
    if (file.readUInt32LE(4) * ENTRY_LENGTH !== end - HEADER_LENGTH) return undefined;
    if (Number(file.readBigUInt64LE(8)) !== baseOffset || Number(file.readBigUInt64LE(16)) !== logBytes)
      return undefined;
    const index = new SparseIndex();
    for (let at = HEADER_LENGTH; at < end; at += ENTRY_LENGTH) {
      index.#offsets.push(baseOffset + file.readUInt32LE(at));
      index.#positions.push(file.readUInt32LE(at + 4));
      index.#appendTimes.push(Number(file.readBigInt64LE(at + 8)));
    }
    index.#indexedTo = index.#positions.at(-1) ?? -INTERVAL_BYTES;
    return index;
  }
}

/** Index of the first element above `value` in a sorted list. */
function firstAbove(list: readonly number[], value: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
