/** Reads the records of a topic, one partition after another, and writes them in a format. */
import type { LogClient, PositionInput, SkippedRecords } from "@logstore/client";
import { RecordBatch } from "@logstore/codec";
import type { RecordWriter } from "../records/record-writer.js";

export interface ExportRequest {
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly from: PositionInput;
  readonly until: PositionInput;
  readonly signal: AbortSignal;
  /** Called with what was written to the output since the last call. */
  readonly onProgress?: (records: number, bytes: number) => void;
  readonly onSkipped: (skipped: SkippedRecords) => void;
}

/** Bytes that are collected before they are written. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Exports what is below `until` when it begins; the same log gives the same bytes each time.
 *
 * @param write resolves when the output takes more
 */
export async function exportRecords(
  client: LogClient,
  writer: RecordWriter,
  write: (bytes: Uint8Array) => Promise<void>,
  { topic, partitions, from, until, signal, onProgress, onSkipped }: ExportRequest,
): Promise<number> {
  let total = 0;
  let records = 0;
  const flush = async () => {
    if (writer.byteLength === 0) return;
    const bytes = writer.take();
    await write(bytes);
    onProgress?.(records, bytes.length);
    total += records;
    records = 0;
  };
  for (const partition of partitions) {
    writer.begin(topic, partition);
    await using reader = client.reader({ assign: { [topic]: [partition] }, from, until, signal, onSkipped });
    for await (const batch of reader.batches()) {
      const cursor = RecordBatch.parse(batch.bytes, 0, UNLIMITED).cursor();
      while (cursor.next()) {
        if (cursor.offset < batch.baseOffset) continue;
        if (cursor.offset >= batch.nextOffset) break;
        writer.write(cursor);
        records++;
        if (writer.byteLength >= CHUNK_BYTES) await flush();
      }
    }
  }
  await flush();
  return total;
}

/** The reader has checked the batch against the limits of the server already. */
const UNLIMITED = { maxBatchBytes: 2 ** 31 - 1, maxRecordsBytes: 2 ** 31 - 1 };
