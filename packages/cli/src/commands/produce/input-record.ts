/** Converts the input to records. */
import type { Bytes, HeaderInput, ProducerRecord } from "@logstore/client";
import { UsageError } from "../../errors/cli-error.js";
import { MAX_TEXT_BYTES } from "../../records/imported-record.js";
import { recordOfJson } from "../../records/record-fields.js";
import { textOf } from "../../values/text-or-bytes.js";

export type InputFormat = "lines" | "ndjson" | "records" | "file";

export interface RecordOptions {
  readonly input?: InputFormat;
  readonly key?: string;
  readonly keyField?: string;
  readonly keySeparator?: string;
  readonly header?: readonly HeaderInput[];
  readonly partition?: number;
  readonly keepPartitions?: boolean;
}

/**
 * Returns undefined for input that is not a record, such as an empty line between objects. @throws
 * UsageError
 */
export type ToRecord = (input: Uint8Array) => ProducerRecord<Bytes> | undefined;

/** @throws UsageError for options that contradict each other */
export function recordMaker(options: RecordOptions): ToRecord {
  const { input = "lines", key, keyField, keySeparator, header = [], partition, keepPartitions } = options;
  const keys = Object.entries({ "--key": key, "--key-field": keyField, "--key-separator": keySeparator });
  const given = keys.filter(([, value]) => value !== undefined).map(([name]) => name);
  if (given.length > 1) throw new UsageError(`${given.join(" and ")} all say what the key is: leave all but one out`);
  if (keySeparator === "") throw new UsageError("--key-separator must not be empty");
  if (keepPartitions && input !== "records") throw new UsageError("--keep-partitions is for --input records");
  const common = { key, headers: header, partition };
  if (input === "records") {
    if (given.length > 0) throw new UsageError(`${given[0]} contradicts --input records: each has its own key`);
    return (line) => fromJson(line, header, partition, keepPartitions === true);
  }
  if (keySeparator !== undefined) return (line) => ({ ...common, ...separated(line, keySeparator) });
  if (keyField !== undefined) {
    const path = keyField.split(".");
    return (line) => (isBlank(line) ? undefined : { ...common, key: keyAt(json(line), path), value: line });
  }
  if (input === "ndjson") {
    return (line) => {
      if (isBlank(line)) return undefined;
      json(line);
      return { ...common, value: line };
    };
  }
  return (value) => ({ ...common, value });
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function decoded(line: Uint8Array): string {
  if (line.length > MAX_TEXT_BYTES) throw new UsageError(`it is longer than ${MAX_TEXT_BYTES} bytes`);
  const text = textOf(line);
  if (text === undefined) throw new UsageError("it is not UTF-8, so no JSON");
  return text;
}

function json(line: Uint8Array): unknown {
  const text = decoded(line);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`it is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function keyAt(value: unknown, path: readonly string[]): string {
  let field = value;
  for (const name of path) field = typeof field === "object" && field !== null ? Reflect.get(field, name) : undefined;
  if (typeof field === "string") return field;
  if (typeof field === "number" || typeof field === "boolean") return String(field);
  throw new UsageError(`it has no text or number at ${path.join(".")} to be its key`);
}

function separated(line: Uint8Array, separator: string): Pick<ProducerRecord<Bytes>, "key" | "value"> {
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const at = bytes.indexOf(separator);
  if (at === -1) throw new UsageError(`it has no ${JSON.stringify(separator)} to separate its key from its value`);
  return { key: bytes.subarray(0, at), value: bytes.subarray(at + Buffer.byteLength(separator)) };
}

function fromJson(
  line: Uint8Array,
  more: readonly HeaderInput[],
  partition: number | undefined,
  keeps: boolean,
): ProducerRecord<Bytes> | undefined {
  const record = recordOfJson(decoded(line), { bad: (problem) => new UsageError(problem), takesJsonValues: true });
  if (record === undefined) return undefined;
  const { key, value, timestamp, headers = [] } = record;
  return {
    key,
    value,
    timestamp,
    headers: [...headers, ...more],
    partition: partition ?? (keeps ? record.partition : undefined),
  };
}
