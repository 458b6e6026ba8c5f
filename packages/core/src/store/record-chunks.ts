/** Records in arrays, so that a reader pays for one promise an array instead of one a record. */
import type { LogRecord, RecordCursor } from "@logstore/codec";

/** Bounds the memory of the record objects, however many records a batch has. */
const MAX_CHUNK_RECORDS = 1_000;

/**
 * Yields the records of a batch from offset `from` on. The records before a damaged one are yielded
 * before the error is thrown.
 *
 * @throws CorruptBatchError
 */
export function* recordChunks(cursor: RecordCursor, from: number): Generator<LogRecord[], void> {
  for (;;) {
    const chunk: LogRecord[] = [];
    let failure: { readonly error: unknown } | undefined;
    try {
      while (chunk.length < MAX_CHUNK_RECORDS && cursor.next()) if (cursor.offset >= from) chunk.push(cursor.record);
    } catch (error) {
      failure = { error };
    }
    if (chunk.length > 0) yield chunk;
    if (failure !== undefined) throw failure.error;
    if (chunk.length === 0) return;
  }
}
