/**
 * Writes the files of disk format version 1, implemented from docs/format alone: it shares no code
 * with the engine, so that a mistake in the engine cannot go unnoticed because both make it.
 */
import { gunzipSync, zstdDecompressSync } from "node:zlib";

export interface GoldenRecord {
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface GoldenBatch {
  readonly baseOffset: number;
  readonly appendTime: number;
  readonly flushedUpTo: number;
  readonly records: readonly GoldenRecord[];
  /** Id, epoch, base sequence. Default: no producer id. */
  readonly producer?: readonly [id: number, epoch: number, sequence: number];
  /** Default: the first record's timestamp. */
  readonly baseTimestamp?: number;
  /**
   * The records as a compressor once produced them, in base64, because the output of a compressor
   * may change with its version.
   */
  readonly gzip?: string;
  readonly zstd?: string;
}

// docs/format/record-batch.md

export function batchBytes(batch: GoldenBatch): Buffer {
  const { records, producer, baseTimestamp = records[0]!.timestamp } = batch;
  const [id, epoch, sequence] = producer ?? [-1, 0, 0];
  const plain = Buffer.concat(records.map((record) => recordBytes(record, baseTimestamp)));
  const stored = compressed(batch, plain);
  const checked = Buffer.concat([
    i64(id),
    i64(baseTimestamp),
    u32(sequence),
    u32(records.length),
    u32(plain.length),
    u16(epoch),
    u8(batch.gzip !== undefined ? 1 : batch.zstd !== undefined ? 2 : 0),
    u8(0),
    stored,
  ]);
  const serverHalf = Buffer.concat([
    Buffer.from("LSB"),
    u8(1),
    u32(36 + 4 + checked.length),
    u64(batch.baseOffset),
    i64(batch.appendTime),
    u64(batch.flushedUpTo),
  ]);
  return Buffer.concat([serverHalf, u32(crc32c(serverHalf)), u32(crc32c(checked)), checked]);
}

function compressed({ gzip, zstd }: GoldenBatch, plain: Buffer): Buffer {
  if (gzip === undefined && zstd === undefined) return plain;
  const stored = Buffer.from(gzip ?? zstd!, "base64");
  const restored = gzip !== undefined ? gunzipSync(stored) : zstdDecompressSync(stored);
  if (!restored.equals(plain)) throw new Error("the compressed bytes are those of other records");
  return stored;
}

export function recordBytes({ timestamp, key, value, headers = [] }: GoldenRecord, baseTimestamp: number): Buffer {
  const valueBytes = Buffer.from(value);
  const hasHeaders = headers.length > 0;
  const keyBytes = Buffer.from(key ?? "");
  const body = Buffer.concat([
    varint(zigzag(BigInt(timestamp - baseTimestamp))),
    varint(key === null ? 0 : keyBytes.length + 1),
    keyBytes,
    hasHeaders ? varint(valueBytes.length) : Buffer.alloc(0),
    valueBytes,
    ...headers.flatMap((header) => header.flatMap((text) => [varint(Buffer.byteLength(text)), Buffer.from(text)])),
  ]);
  return Buffer.concat([varint(body.length * 2 + (hasHeaders ? 1 : 0)), body]);
}

// docs/format/segment.md

export function segmentBytes(batches: readonly GoldenBatch[]): Buffer {
  return Buffer.concat(batches.map(batchBytes));
}

// docs/format/index.md

export type IndexEntry = readonly [offset: number, byte: number, time: number];

export function indexBytes(baseOffset: number, batches: readonly GoldenBatch[]): Buffer {
  const entries: IndexEntry[] = [];
  let position = 0;
  for (const batch of batches) {
    const last = entries.at(-1);
    if (last === undefined || position - last[1] >= 16 * 1024) {
      entries.push([batch.baseOffset - baseOffset, position, batch.appendTime]);
    }
    position += batchBytes(batch).length;
  }
  return indexOf(baseOffset, position, entries);
}

export function indexOf(baseOffset: number, logLength: number, entries: readonly IndexEntry[]): Buffer {
  const content = Buffer.concat([
    Buffer.from("LSX"),
    u8(1),
    u32(entries.length),
    u64(baseOffset),
    u64(logLength),
    ...entries.flatMap(([offset, byte, time]) => [u32(offset), u32(byte), i64(time)]),
  ]);
  return Buffer.concat([content, u32(crc32c(content))]);
}

// docs/format/checkpoint.md

export interface GoldenCheckpoint {
  readonly logStart: number;
  readonly recoveryPoint: number;
  readonly segment: number;
  readonly position: number;
  readonly lastAppendTime: number;
  readonly producers: readonly unknown[];
  readonly gaps: readonly (readonly [from: number, to: number])[];
}

export function checkpointBytes(checkpoint: GoldenCheckpoint): Buffer {
  return checkedJson({ formatVersion: 1, ...checkpoint });
}

/** A line of JSON, and the checksum of that line with its newline: checkpoints and producer ids. */
export function checkedJson(content: unknown): Buffer {
  const line = Buffer.from(`${JSON.stringify(content)}\n`);
  const crc = crc32c(line).toString(16).padStart(8, "0");
  return Buffer.concat([line, Buffer.from(`${crc}\n`)]);
}

// docs/format/watermarks.md

export function watermarksBytes(slots: readonly (readonly [logStart: number, highWatermark: number])[]): Buffer {
  return Buffer.concat(
    slots.flatMap(([logStart, highWatermark]) => {
      const content = Buffer.concat([u64(logStart), u64(highWatermark)]);
      return [content, u32(crc32c(content)), u32(0)];
    }),
  );
}

// docs/format/directory.md

export function storeJson(partitions: number, more: Readonly<Record<string, unknown>> = {}): Buffer {
  const id = "00112233445566778899aabbccddeeff";
  return json({ format: "logstore", formatVersion: 1, id, partitions, partitioner: "fnv1a-32", ...more });
}

export function brokerJson(formatVersion = 1): Buffer {
  return json({ format: "logstore-broker", formatVersion });
}

/** The checksum of the other fields, as JSON without white space, is a field of its own. */
function json(fields: object): Buffer {
  const crc = crc32c(Buffer.from(JSON.stringify(fields)));
  return Buffer.from(`${JSON.stringify({ ...fields, crc: crc.toString(16).padStart(8, "0") }, null, 2)}\n`);
}

/** @param id left out as in release 0.1.0, which had no topic ids */
export function topicJson(topic: string, config: Readonly<Record<string, unknown>> = {}, id?: string): Buffer {
  return json({ topic, id, config });
}

export function producerIdsBytes(next: number): Buffer {
  return checkedJson({ formatVersion: 1, next });
}

export function logName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, "0")}.log`;
}

export function indexName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, "0")}.index`;
}

// Encodings

/** CRC-32C, computed bit by bit as the page defines it. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function zigzag(value: bigint): bigint {
  return value < 0n ? -2n * value - 1n : 2n * value;
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Buffer.from([...bytes, Number(rest)]);
}

function u8(value: number): Buffer {
  return Buffer.from([value]);
}

function u16(value: number): Buffer {
  return Buffer.from([value & 255, value >>> 8]);
}

function u32(value: number): Buffer {
  return Buffer.from([0, 8, 16, 24].map((shift) => (value >>> shift) & 255));
}

function u64(value: number): Buffer {
  return Buffer.concat([u32(value % 2 ** 32), u32(Math.floor(value / 2 ** 32))]);
}

function i64(value: number): Buffer {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Buffer.concat([u32(Number(bits & 0xffffffffn)), u32(Number(bits >> 32n))]);
}
