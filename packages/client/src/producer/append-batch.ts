/** Encodes the records of one append into one batch, or refuses them. */
import {
  BatchTooLargeError,
  defaultBatchLimits,
  InvalidArgumentError,
  MAX_RECORDS_PER_BATCH,
  RecordBatchBuilder,
  RecordTooLargeError,
} from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { ValueFormat } from "../common/value-format.js";
import type { Hold } from "./append-budget.js";
import type { AppendOptions } from "./append-options.js";
import { checkRecord, timestampOf } from "./check-record.js";
import type { Place } from "./delivery.js";
import type { AppendRecord } from "./producer-record.js";

/** Largest batch of any topic, bytes. */
const MAX_BATCH_BYTES = 2 ** 30;

/**
 * Encodes the records, and takes the bytes from the budget meanwhile.
 *
 * @throws InvalidArgumentError, InvalidValueError, BatchTooLargeError, BufferFullError
 */
export async function encodeRecords<Input>(
  records: readonly AppendRecord<Input>[],
  options: AppendOptions<Input>,
  place: Place,
  hold: Hold,
): Promise<RecordBatchBuilder> {
  const format = new ValueFormat(options);
  const builder = new RecordBatchBuilder({
    targetBytes: Number.MAX_SAFE_INTEGER,
    compression: options.compression ?? "none",
    headroomBytes: PRODUCE_HEADROOM_BYTES,
    limits: { maxBatchBytes: MAX_BATCH_BYTES, maxRecordsBytes: MAX_BATCH_BYTES },
  });
  if (!Array.isArray(records) || records.length === 0) {
    throw new InvalidArgumentError("append: records must be a list of at least one record", { ...place });
  }
  for (const record of records as readonly AppendRecord<Input>[]) {
    checkRecord(record);
    const { key = null, value, headers } = record;
    const timestamp = timestampOf(record);
    const valid = format.validate(value);
    if (valid !== undefined) await valid;
    const before = builder.byteLength;
    if (!builder.append(key, format.serialize(value), timestamp, headers)) {
      throw doesNotFit(builder, timestamp, records.length, place);
    }
    hold.more(builder.byteLength - before);
  }
  return builder;
}

function doesNotFit(builder: RecordBatchBuilder, timestamp: number, count: number, place: Place): Error {
  if (!builder.acceptsTimestamp(timestamp)) {
    return new InvalidArgumentError(
      `timestamp ${timestamp} is 2^52 ms or more from that of the first record, and an append is one batch: ` +
        "append such records separately",
      { ...place },
    );
  }
  return new BatchTooLargeError(
    `${count} records do not fit into one batch of ${MAX_BATCH_BYTES} bytes and ${MAX_RECORDS_PER_BATCH} records, ` +
      "and an append is all or nothing: append fewer records at a time",
    { ...place, expected: MAX_BATCH_BYTES, actual: builder.byteLength },
  );
}

/** The size of a batch before it is sealed. */
export type Unsealed = Pick<RecordBatchBuilder, "recordCount" | "byteLength">;

/** Returns the error for a batch that is too large for the topic; undefined if it is not. */
export function refusalOf(
  batchBytes: number,
  { recordCount, byteLength }: Unsealed,
  maxBatchBytes: number,
  place: Place,
): RecordTooLargeError | BatchTooLargeError | undefined {
  const maxUnpackedBytes = Math.max(defaultBatchLimits.maxRecordsBytes, maxBatchBytes);
  const isTooLong = batchBytes > maxBatchBytes;
  if (!isTooLong && byteLength <= maxUnpackedBytes) return undefined;
  const [actual, expected] = isTooLong ? [batchBytes, maxBatchBytes] : [byteLength, maxUnpackedBytes];
  const fields = { ...place, expected, actual };
  const unpacked = isTooLong ? "" : " before compression";
  const told = `a batch of ${actual} bytes${unpacked}, and topic ${place.topic} accepts at most ${expected} (maxBatchBytes)`;
  if (recordCount === 1) return new RecordTooLargeError(`the record makes ${told}: split the value`, fields);
  return new BatchTooLargeError(
    `the ${recordCount} records make ${told}; an append is all or nothing: append fewer records at a time`,
    fields,
  );
}
