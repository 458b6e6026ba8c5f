/**
 * Records whose content is a function of their partition and offset, so that a reader can check
 * each of them on its own.
 */
import type { Header, HeaderInput } from "@logstore/codec";

/** A record as returned by any of the readers. */
export interface SeenRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: readonly Header[];
}

export interface SentRecord {
  readonly key: string | null;
  readonly value: Uint8Array;
  readonly timestamp: number;
  readonly headers: readonly HeaderInput[];
}

const PLACE_BYTES = 16;
const MAGIC = 0x434f4e56;
const NOISE_STARTS = 61_441;
const FIRST_TIMESTAMP = 1_700_000_000_000;
const KEYS = 7;

/** Text-like bytes that compress, but in which no two ranges are equal. */
const noise = makeNoise(NOISE_STARTS + 24 * 1024 * 1024);

function makeNoise(length: number): Buffer {
  const block = Buffer.allocUnsafe(1024 * 1024 + 13);
  let state = 0x9e3779b9;
  for (let i = 0; i < block.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    block[i] = 32 + (state >>> 26);
  }
  const whole = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += block.length) block.copy(whole, at);
  return whole;
}

function noiseStart(partition: number, offset: number): number {
  return (Math.imul(partition + 1, 0x85ebca6b) ^ Math.imul(offset + 1, 0xc2b2ae35)) >>> 0;
}

export function recordAt(partition: number, offset: number, valueBytes: number): SentRecord {
  const value = Buffer.allocUnsafe(Math.max(valueBytes, PLACE_BYTES));
  value.writeUInt32LE(MAGIC, 0);
  value.writeUInt32LE(partition, 4);
  value.writeUIntLE(offset, 8, 6);
  value.writeUInt16LE(value.length & 0xffff, 14);
  const start = noiseStart(partition, offset) % NOISE_STARTS;
  noise.copy(value, PLACE_BYTES, start, start + value.length - PLACE_BYTES);
  const headers = offset % 5 === 0 ? [{ name: "offset", value: String(offset) }] : [];
  return { key: keyOf(partition, offset), value, timestamp: FIRST_TIMESTAMP + offset, headers };
}

/** Describes what is wrong with a record read at this position; undefined if nothing is. */
export function wrongIn(record: SeenRecord, partition: number, valueBytes: number): string | undefined {
  const { offset, timestamp, key, value, headers } = record;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  if (bytes.length !== Math.max(valueBytes, PLACE_BYTES)) return `its value has ${bytes.length} bytes`;
  if (bytes.readUInt32LE(0) !== MAGIC) return "its value is no content of the conveyor";
  const [foundPartition, foundOffset] = [bytes.readUInt32LE(4), bytes.readUIntLE(8, 6)];
  if (foundPartition !== partition || foundOffset !== offset)
    return `it holds the value of ${foundPartition}/${foundOffset}`;
  const start = noiseStart(partition, offset) % NOISE_STARTS;
  const wanted = noise.subarray(start, start + bytes.length - PLACE_BYTES);
  if (!bytes.subarray(PLACE_BYTES).equals(wanted)) return "its value is altered";
  if ((key === null ? null : Buffer.from(key).toString()) !== keyOf(partition, offset)) return "its key is another";
  if (timestamp !== FIRST_TIMESTAMP + offset) return `its timestamp is ${timestamp}`;
  const header = headers.map(({ name, value }) => `${name}=${value === null ? "" : Buffer.from(value)}`).join();
  if (header !== (offset % 5 === 0 ? `offset=${offset}` : "")) return `its headers are "${header}"`;
  return undefined;
}

function keyOf(partition: number, offset: number): string | null {
  return offset % 3 === 0 ? null : `key ${partition} ${offset % KEYS}`;
}
