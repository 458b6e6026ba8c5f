/** Reads the records of a log from an offset to its current end, and verifies each batch. */
import { frameBatches, type LogRecord } from "@logstore/codec";
import type { PartitionLog } from "../partition-log.js";
import { STORED_BATCH_LIMITS } from "./buffers.js";
import { gapPassed } from "./checked-read.js";

const CHUNK_BYTES = 512 * 1024;

/**
 * Records are views of memory that belongs to the caller.
 *
 * @throws OffsetOutOfRangeError, CorruptPartitionError, StorageFailedError, UnavailableError,
 * ClosedError
 */
export async function* readRecords(log: PartitionLog, from: number): AsyncGenerator<LogRecord, void> {
  const reader = log.reader(from);
  const until = log.offsets.highWatermark;
  while (reader.offset < until) {
    const expected = reader.offset;
    const chunk = await reader.next({ maxBytes: CHUNK_BYTES, until });
    gapPassed(log, expected, chunk, reader.offset);
    if (chunk === undefined) return;
    for (const batch of frameBatches(chunk.bytes, STORED_BATCH_LIMITS)) {
      try {
        batch.verify();
      } catch (error) {
        throw log.noteCorrupt(batch, chunk, error as Error);
      }
      for (const record of batch) if (record.offset >= from) yield record;
    }
  }
}
