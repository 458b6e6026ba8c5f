/**
 * The values that every contestant stores: a sequence number, a checksum, and text of web requests.
 * Those who read check the sequence of all values while they are timed, and the checksum of all
 * bytes in a pass that is not.
 */
import { crc32 } from "node:zlib";

const SEQUENCE_BYTES = 4;
const HEADER_BYTES = 8;
const RING_VALUES = 1_024;

export interface SourceOptions {
  readonly count: number;
  readonly valueBytes: number;
  /** Values that are appended in one call. */
  readonly batch: number;
  /** Batches that are not acknowledged at the same time. Default: 1. */
  readonly inFlight?: number;
}

export interface Batch {
  /** Sequence number of the first value. */
  readonly base: number;
  readonly values: readonly Buffer[];
  /** The same values, as the records that LogStore takes. */
  readonly records: readonly { readonly key: null; readonly value: Buffer }[];
}

interface Pool extends Batch {
  base: number;
  readonly bodyChecksums: readonly number[];
}

/** Batches of values. The memory of a batch is used again after `inFlight` further ones. */
export class Source {
  readonly count: number;
  readonly valueBytes: number;
  readonly batch: number;
  readonly inFlight: number;
  readonly #pools: readonly Pool[];
  #sequence = 0;
  #batches = 0;

  constructor({ count, valueBytes, batch, inFlight = 1 }: SourceOptions) {
    if (valueBytes < HEADER_BYTES) throw new RangeError(`a value has at least ${HEADER_BYTES} bytes`);
    this.count = Math.max(batch, Math.floor(count / batch) * batch);
    this.valueBytes = valueBytes;
    this.batch = batch;
    this.inFlight = inFlight;
    this.#pools = Array.from({ length: inFlight + 1 }, (_, i) => poolOf(batch, valueBytes, i));
  }

  /** Undefined at the end. */
  next(): Batch | undefined {
    if (this.#sequence >= this.count) return undefined;
    const pool = this.#pools[this.#batches++ % this.#pools.length]!;
    const { values, bodyChecksums } = pool;
    pool.base = this.#sequence;
    for (let i = 0; i < values.length; i++) {
      const sequence = this.#sequence++;
      values[i]!.writeUInt32LE(sequence, 0);
      values[i]!.writeUInt32LE((bodyChecksums[i]! ^ sequence) >>> 0, SEQUENCE_BYTES);
    }
    return pool;
  }
}

/** Takes the values that a reader delivers, in order. */
export class Sink {
  readonly #ring: Uint8Array[] = Array.from({ length: RING_VALUES }, () => new Uint8Array(HEADER_BYTES));
  readonly #valueBytes: number;
  readonly #isChecked: boolean;
  #sum = 0;
  /** Number of values so far. */
  seen = 0;

  /** @param isChecked compares the checksum of each value, too */
  constructor(valueBytes: number, isChecked = false) {
    this.#valueBytes = valueBytes;
    this.#isChecked = isChecked;
  }

  readonly use = (value: Uint8Array): void => {
    const sequence = (value[0]! | (value[1]! << 8) | (value[2]! << 16) | (value[3]! << 24)) >>> 0;
    if (sequence !== this.seen || value.length !== this.#valueBytes) this.#fail(sequence, value.length);
    if (this.#isChecked) check(value, sequence);
    this.#ring[this.seen++ & (RING_VALUES - 1)] = value;
    this.#sum += sequence + value[value.length - 1]!;
  };

  /** A batch that is handed on as it is: the offsets are checked instead of the values. */
  useWhole(bytes: Uint8Array, baseOffset: number, nextOffset: number): void {
    if (baseOffset !== this.seen) this.#fail(baseOffset, bytes.length);
    this.#ring[baseOffset & (RING_VALUES - 1)] = bytes;
    this.#sum += bytes.length;
    this.seen = nextOffset;
  }

  /** All values have come, and what was kept of them is what was summed. */
  expect(count: number): void {
    if (this.seen !== count) throw new Error(`${this.seen} values came, not ${count}`);
    const kept = this.#ring.reduce((sum, value) => sum + value.length, 0);
    if (!Number.isFinite(this.#sum) || kept === 0) throw new Error("nothing was used");
  }

  #fail(sequence: number, length: number): never {
    throw new Error(`value ${sequence} of ${length} bytes came where ${this.seen} of ${this.#valueBytes} was due`);
  }
}

function check(value: Uint8Array, sequence: number): void {
  const stored = Buffer.from(value.buffer, value.byteOffset, value.length).readUInt32LE(SEQUENCE_BYTES);
  if ((crc32(value.subarray(HEADER_BYTES)) ^ sequence) >>> 0 !== stored) {
    throw new Error(`value ${sequence} is not the one that was stored`);
  }
}

function poolOf(batch: number, valueBytes: number, seed: number): Pool {
  const values = Array.from({ length: batch }, (_, i) => bodyOf(valueBytes, seed * batch + i));
  return {
    base: 0,
    values,
    records: values.map((value) => ({ key: null, value })),
    bodyChecksums: values.map((value) => crc32(value.subarray(HEADER_BYTES))),
  };
}

/** Text as web servers write it, so that compression has something to do. */
function bodyOf(valueBytes: number, seed: number): Buffer {
  const lines: string[] = [];
  for (let length = 0; length < valueBytes; length += lines.at(-1)!.length) {
    const random = Math.imul(seed * 31 + lines.length + 1, 0x9e3779b1) >>> 0;
    lines.push(
      `{"path":"/products/${random % 9_973}","status":${random % 50 === 0 ? 404 : 200},"ms":${(random >>> 8) % 911},"user":"${(random >>> 3).toString(36)}"}`,
    );
  }
  const value = Buffer.alloc(valueBytes);
  value.write(lines.join("\n"), HEADER_BYTES, "latin1");
  return value;
}
