/** Short forms to append and read records. */
import { type ProducerStamp, RecordBatchBuilder } from "@logstore/codec";
import { expect } from "vitest";
import type { CompressionName, LogRecord, LogStore, LogStoreError, Position, RecordInput } from "../src/index.js";

const decoder = new TextDecoder();

export function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decoder.decode(bytes);
}

export async function collect(records: AsyncIterable<LogRecord>): Promise<LogRecord[]> {
  return Array.fromAsync(records);
}

/** The values of a partition, as text. */
export async function values(store: LogStore, partition = 0, from: Position = "earliest"): Promise<string[]> {
  return (await collect(store.read(partition, { from }))).map(({ value }) => decoder.decode(value));
}

/** Offset and value of each record: `0 a`, `1 b`. */
export async function lines(store: LogStore, partition = 0, from: Position = "earliest"): Promise<string[]> {
  return (await collect(store.read(partition, { from }))).map(({ offset, value }) => `${offset} ${text(value)}`);
}

/** The values that can be read before an error, and the error, if any. */
export async function valuesUntilError(
  store: LogStore,
  partition = 0,
  from: Position = "earliest",
): Promise<{ read: string[]; error: LogStoreError | undefined }> {
  const read: string[] = [];
  try {
    for await (const { value } of store.read(partition, { from })) read.push(decoder.decode(value));
  } catch (error) {
    return { read, error: error as LogStoreError };
  }
  return { read, error: undefined };
}

export function range(count: number, prefix = "v"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

/** Appends each value in a batch of its own. */
export async function appendOneByOne(store: LogStore, all: readonly string[], partition = 0): Promise<void> {
  for (const value of all) await store.append(null, value, { partition, timestamp: 0 });
}

export function sealed(contents: readonly string[], stamp?: ProducerStamp): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (const value of contents) builder.append(null, value, 1);
  return builder.seal(stamp);
}

/** A batch of records with all the features that records can have. */
export function sealedRecords(
  records: readonly (RecordInput & { readonly timestamp: number })[],
  stamp?: ProducerStamp,
  compression: CompressionName = "none",
): Uint8Array {
  const builder = new RecordBatchBuilder({ compression });
  for (const { key = null, value, timestamp, headers } of records) builder.append(key, value, timestamp, headers);
  return builder.seal(stamp);
}

export async function caught(promise: Promise<unknown>): Promise<LogStoreError> {
  try {
    await promise;
  } catch (error) {
    return error as LogStoreError;
  }
  return expect.fail("it should have failed");
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await caught(promise)).code;
}
