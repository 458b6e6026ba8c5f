/** Every public way to decode bytes, with the invariants of each and between them. */
import {
  type BatchLimits,
  declaredBatchLength,
  frameBatches,
  LogStoreError,
  RecordBatch,
  RecordBatchBuilder,
  readServerHalf,
  validateBatches,
} from "../../src/index.js";
import { plainRecord } from "../plain-record.js";

/** How far decoding got. */
export type Outcome = "refused" | "header" | "records" | "accepted";

export function decodeEverything(bytes: Uint8Array, at: number, limits: BatchLimits, thorough: boolean): Outcome {
  readServerHalf(bytes, at);
  declaredBatchLength(bytes, at);
  attempt(() => RecordBatch.parse(bytes, at, limits));
  const parsed = attempt(() => RecordBatch.parse(bytes, 0, limits));
  const framed = attempt(() => [...frameBatches(bytes, limits)]);
  const validated = attempt(() => validateBatches(bytes, limits));
  if (parsed instanceof LogStoreError) {
    check(framed instanceof LogStoreError || bytes.length === 0, "framed what cannot be parsed");
    check(validated instanceof LogStoreError, "accepted what cannot be parsed");
    return "refused";
  }
  check(parsed.byteLength <= Math.min(bytes.length, limits.maxBatchBytes), "a batch is longer than it may be");
  check(parsed.recordsLength <= limits.maxRecordsBytes, "records are longer than they may be");
  const walked = attempt(() => walk(parsed)); // before anything is verified
  if (!(framed instanceof LogStoreError)) {
    check(framed.reduce((sum, batch) => sum + batch.byteLength, 0) === bytes.length, "framed other bytes");
  }
  const checked = attempt(() => parsed.checkRecords());
  check(walked instanceof LogStoreError === checked instanceof LogStoreError, "the check and the cursor disagree");
  if (walked instanceof LogStoreError) {
    check(validated instanceof LogStoreError, "accepted what cannot be read");
    return "header";
  }
  if (thorough) {
    check(walked === walk(parsed), "reading it again gives something else");
    checkEncodedAgain(parsed, limits);
  }
  if (validated instanceof LogStoreError) return "records";
  for (const batch of validated) walk(batch.verify());
  return "accepted";
}

/** A number derived from everything that a cursor returns. */
function walk(batch: RecordBatch): number {
  let shown = 0;
  let bytes = 0;
  const cursor = batch.cursor();
  while (cursor.next()) {
    const { key, value, headers, timestamp } = cursor;
    bytes += value.length + (key?.length ?? 0);
    for (const header of headers) bytes += header.value.length;
    shown = (Math.imul(shown, 31) + timestamp + 7 * (key?.length ?? -1) + 11 * bytes + (value[0] ?? 0)) | 0;
  }
  check(cursor.offset === batch.nextOffset - 1, "there are not as many records as the batch says");
  check(bytes <= batch.recordsLength, "there is more in the records than they are long");
  return shown;
}

/** Encoding the decoded records and decoding them again gives the same. */
function checkEncodedAgain(batch: RecordBatch, limits: BatchLimits): void {
  const records = [...batch];
  const expected = records.map(plainRecord);
  const builder = new RecordBatchBuilder({ limits, targetBytes: limits.maxBatchBytes });
  for (const { key, value, timestamp, headers } of records) {
    const taken = attempt(() => builder.append(key, value, timestamp, headers));
    if (taken !== true) return; // timestamps too far apart for a builder, or varints longer than necessary
  }
  const again = [...RecordBatch.parse(builder.seal(), 0, limits).verify()].map(plainRecord);
  check(JSON.stringify(again) === JSON.stringify(expected), "encoding it again gives something else");
}

/** Any error that is not a LogStoreError is a failure. */
function attempt<T>(work: () => T): T | LogStoreError {
  try {
    return work();
  } catch (error) {
    if (error instanceof LogStoreError) return error;
    throw error;
  }
}

export function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
