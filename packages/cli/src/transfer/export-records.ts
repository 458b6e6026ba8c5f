/** Reads the records of a topic, one partition after another, and writes them in a format. */
import type { LogClient, SkippedRecords } from "@logstore/client";
import { RecordBatch } from "@logstore/codec";
import type { RecordWriter } from "../records/record-writer.js";

export interface ExportRequest {
  readonly topic: string;
  /** In the order in which they are written: the records from `from` to before `until`. */
  readonly ranges: readonly { readonly partition: number; readonly from: number; readonly until: number }[];
  readonly signal: AbortSignal;
  /** Called with the number of records and bytes written since the last call. */
  readonly onProgress?: (records: number, bytes: number) => void;
  readonly onSkipped: (skipped: SkippedRecords) => void;
}

/** Number of bytes that are collected before they are written. */
const CHUNK_BYTES = 256 * 1024;

/**
 * The same ranges give the same bytes each time. Resolves to the number of records.
 *
 * @param write resolves when the output accepts more
 */
export async function exportRecords(
  client: LogClient,
  writer: RecordWriter,
  write: (bytes: Uint8Array) => Promise<void>,
  { topic, ranges, signal, onProgress, onSkipped }: ExportRequest,
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
  for (const { partition, from, until } of ranges) {
    if (from >= until) continue;
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
  signal.throwIfAborted();
  await flush();
  return total;
}

/** The reader has checked the batch against the limits of the server already. */
const UNLIMITED = { maxBatchBytes: 2 ** 31 - 1, maxRecordsBytes: 2 ** 31 - 1 };
