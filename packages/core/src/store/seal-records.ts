/** Records in, sealed batches out: more than one only where one would be too long. */
import {
  type BatchLimits,
  type CompressionName,
  InvalidArgumentError,
  RecordBatch,
  RecordBatchBuilder,
  type RecordInput,
  shown,
} from "@logstore/codec";
import { msOf } from "../engine/read/position.js";
import { checkRecord } from "../partition/append/check-record.js";

export interface SealedRecords {
  readonly batches: readonly RecordBatch[];
  readonly byteLength: number;
}

/** Batches up to this length suit readers, who take whole ones. */
const TARGET_BYTES = 1024 * 1024;

/**
 * @param now timestamp of records that have none, ms since the epoch
 * @param expectedBytes a guess at their length
 * @throws RecordTooLargeError, InvalidArgumentError
 */
export function sealRecords(
  records: Iterable<RecordInput>,
  now: number,
  expectedBytes: number,
  options: { readonly limits: BatchLimits; readonly compression: CompressionName },
): SealedRecords {
  const { limits, compression } = options;
  const builder = new RecordBatchBuilder({ limits, compression, expectedBytes, targetBytes: TARGET_BYTES });
  const batches: RecordBatch[] = [];
  let byteLength = 0;
  const seal = () => {
    const batch = RecordBatch.parse(builder.seal(), 0, limits);
    byteLength += batch.byteLength;
    batches.push(batch);
  };
  if (typeof records?.[Symbol.iterator] !== "function") {
    throw new InvalidArgumentError(`records must be a list, not ${shown(records)}`);
  }
  const append = (record: RecordInput) => {
    if (typeof record !== "object" || record === null) {
      throw new InvalidArgumentError(`a record must be an object, not ${shown(record)}`);
    }
    const { key = null, value, timestamp = now, headers } = record;
    checkRecord(key, value, headers);
    const time = typeof timestamp === "number" ? timestamp : msOf(timestamp);
    if (builder.append(key, value, time, headers)) return;
    seal();
    builder.append(key, value, time, headers);
  };
  if (Array.isArray(records)) {
    for (let i = 0; i < records.length; ) {
      append(records[i]);
      i = builder.appendPlain(records, i + 1, now);
    }
  } else {
    for (const record of records) append(record);
  }
  if (builder.recordCount > 0) seal();
  if (batches.length === 0) throw new InvalidArgumentError("there is no record to append");
  return { batches, byteLength };
}
