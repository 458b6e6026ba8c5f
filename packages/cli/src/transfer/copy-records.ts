/** Copies a topic record by record: the records get new offsets. */
import type { ConsumerBatch, LogClient, SkippedRecords, TopicDescription } from "@logstore/client";
import type { ImportedRecord, ImportPiece } from "../records/imported-record.js";
import { importRecords } from "./import-records.js";

export interface CopyRecordsRequest {
  readonly source: LogClient;
  readonly target: LogClient;
  readonly from: TopicDescription;
  readonly to: TopicDescription;
  readonly signal: AbortSignal;
  readonly onCopied: (records: number) => void;
  readonly onSkipped: (skipped: SkippedRecords) => void;
}

/**
 * Records stay in their partition if both topics have the same number of partitions. Otherwise
 * their keys determine the partition.
 */
export async function copyRecords(request: CopyRecordsRequest): Promise<void> {
  const { source, target, from, to, signal, onCopied, onSkipped } = request;
  const keepPartitions = from.partitions.length === to.partitions.length;
  await using producer = target.producer(to.topic);
  for (const { partition } of from.partitions) {
    await using reader = source.reader({ assign: { [from.topic]: [partition] }, until: "latest", signal, onSkipped });
    const { failure } = await importRecords(pieces(reader.batches()), producer, {
      signal,
      keepPartitions,
      onStored: onCopied,
    });
    if (failure !== undefined) throw failure.error;
  }
}

async function* pieces(
  batches: AsyncIterable<ConsumerBatch<Uint8Array, Uint8Array>>,
): AsyncGenerator<ImportPiece, void> {
  for await (const batch of batches) {
    yield { bytes: batch.bytes.length, lastLine: 0, [Symbol.iterator]: () => records(batch) };
  }
}

function* records(batch: ConsumerBatch<Uint8Array, Uint8Array>): Generator<ImportedRecord, void> {
  for (const { key, value, timestamp, headers, partition } of batch)
    yield { key, value, timestamp, headers, partition };
}
