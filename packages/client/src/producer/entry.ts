import type { Bytes, HeaderInput } from "@logstore/codec";
import type { ValueFormat } from "../common/value-format.js";
import { timestampOf } from "./check-record.js";
import type { ProducerRecord } from "./producer-record.js";
import type { Waiter } from "./waiter.js";

/** Bytes counted for the lengths and the timestamp of a record. */
const RECORD_OVERHEAD_BYTES = 16;

/** A record that was accepted, with its value serialized. */
export interface Entry {
  readonly key: Bytes | null;
  readonly value: Bytes;
  readonly timestamp: number;
  readonly headers: readonly HeaderInput[] | undefined;
  readonly partition: number | undefined;
  /** Bytes that it takes of the producer's buffer. */
  readonly bytes: number;
  /** Receives its outcome. Default: the promise of its acknowledgement. */
  readonly waiter: Waiter | undefined;
}

/** @throws InvalidValueError, InvalidArgumentError */
export function entryOf<Input>(
  record: ProducerRecord<Input>,
  format: ValueFormat<unknown, Input>,
  waiter: Waiter | undefined,
): Entry {
  const { key, value, headers, partition } = record;
  const timestamp = timestampOf(record);
  const stored = format.serialize(value);
  let bytes = RECORD_OVERHEAD_BYTES + byteLength(stored);
  if (key !== undefined && key !== null) bytes += byteLength(key);
  if (headers !== undefined) for (const header of headers) bytes += header.name.length + header.value.length;
  return { key: key ?? null, value: stored, timestamp, headers, partition, bytes, waiter };
}

/** Copies an entry that is kept beyond its send: the caller may reuse its buffers after that. */
export function copyOfEntry(entry: Entry): Entry {
  const headers = entry.headers?.map(({ name, value }) => ({ name, value: copyOfBytes(value) }));
  return { ...entry, key: entry.key && copyOfBytes(entry.key), value: copyOfBytes(entry.value), headers };
}

function byteLength(bytes: Bytes): number {
  return typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
}

function copyOfBytes(bytes: Bytes): Bytes {
  return typeof bytes === "string" ? bytes : new Uint8Array(bytes);
}
