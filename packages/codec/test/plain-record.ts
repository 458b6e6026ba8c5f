/** Records as plain values, so that input and output can be compared as a whole. */
import { type Bytes, frameBatches, type LogRecord, type RecordInput } from "../src/index.js";

export interface PlainRecord {
  timestamp: number;
  key: string | null;
  value: string;
  headers: [name: string, value: string][];
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The expected result for an input. Text is encoded by Node here, not by the code under test. */
export function plainInput({ key, value, timestamp, headers }: RecordInput): PlainRecord {
  const stored = (bytes: Bytes) => hex(Buffer.from(bytes as string));
  return {
    timestamp: Number(timestamp ?? 0),
    key: key == null ? null : stored(key),
    value: stored(value),
    headers: (headers ?? []).map(({ name, value }) => [Buffer.from(name).toString(), stored(value)]),
  };
}

export function plainRecord({ timestamp, key, value, headers }: LogRecord): PlainRecord {
  return {
    timestamp,
    key: key && hex(key),
    value: hex(value),
    headers: headers.map((header) => [header.name, hex(header.value)]),
  };
}

/** Everything that a careful consumer reads from a buffer of batches. */
export function readAll(bytes: Uint8Array): PlainRecord[] {
  return [...frameBatches(bytes)].flatMap((batch) => [...batch.verify()].map(plainRecord));
}
