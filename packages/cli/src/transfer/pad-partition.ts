/**
 * Makes a partition begin at a given offset: appends empty records up to that offset, and deletes
 * each batch of them before the next one, so that an interrupted copy leaves one at most. A million
 * records form a batch of a few kB.
 */
import type { LogApi, TopicDescription } from "@logstore/client";
import { MAX_RECORDS_PER_BATCH, type RecordBatch, RecordBatchBuilder, writeServerHalf } from "@logstore/codec";

const EMPTY = new Uint8Array(0);
/** Includes the length fields. */
const EMPTY_RECORD_BYTES = 3;

export interface Padding {
  readonly target: LogApi;
  readonly to: TopicDescription;
  readonly partition: number;
  /** Offset of the first record that is not padding. */
  readonly end: number;
  readonly signal: AbortSignal;
}

/** The padding is durable and deleted when this resolves. */
export async function padUpTo({ target, to, partition, end, signal }: Padding, start: number): Promise<void> {
  const { topic } = to;
  const topicId = to.topicId || undefined;
  const full = end - start < MAX_RECORDS_PER_BATCH ? undefined : emptyBatch(MAX_RECORDS_PER_BATCH);
  for (let offset = start; offset < end; ) {
    signal.throwIfAborted();
    const records = Math.min(end - offset, MAX_RECORDS_PER_BATCH);
    // The target may keep the bytes and write offsets into them.
    const batches = records === MAX_RECORDS_PER_BATCH ? new Uint8Array(full!) : emptyBatch(records);
    await target.produce({ topic, topicId, partition, batches, expectedOffset: offset });
    offset += records;
    await target.deleteRecords(topic, partition, offset, { topicId });
  }
}

/** Whether the batch has no bytes of keys, values and headers, and the time of padding. */
export function isPadding({ baseTimestamp, recordCount, recordsLength }: RecordBatch): boolean {
  return baseTimestamp === 0 && recordsLength === EMPTY_RECORD_BYTES * recordCount;
}

function emptyBatch(records: number): Uint8Array {
  const targetBytes = EMPTY_RECORD_BYTES * records + 1024;
  const builder = new RecordBatchBuilder({ compression: "gzip", targetBytes, expectedBytes: targetBytes });
  for (let i = 0; i < records; i++) builder.append(null, EMPTY, 0);
  const batch = builder.seal();
  // Of the earliest time there is, so that what follows can have the times of its original.
  writeServerHalf(batch, { baseOffset: 0, appendTime: 1, flushedUpTo: 0 });
  return batch;
}
