/**
 * A strict walk over a segment's batches, for whoever must know where the log stops being sound.
 */
import { type BatchLimits, CorruptBatchError, type LogStoreError, RecordBatch } from "@logstore/codec";
import type { StorageFile } from "../storage/storage.js";
import { readBatches } from "./read-batches.js";

const CHUNK_BYTES = 1024 * 1024;

export interface ScanRange {
  readonly position: number;
  readonly end: number;
  /** Base offset that the batch at `position` must have; undefined where it is not known. */
  readonly nextOffset: number | undefined;
  readonly limits: BatchLimits;
  /** Whether the producers' checksums are verified too, or the headers' alone. */
  readonly verify: boolean;
  /** How much to read at once. Default 1 MiB. */
  readonly chunkBytes?: number | undefined;
}

export interface ScannedBatch {
  readonly batch: RecordBatch;
  readonly position: number;
}

/**
 * Each batch from `position` on.
 *
 * @throws LogStoreError at the first batch that is not sound, with `byte` = its position in the
 * file and `offset` = the one it should begin at
 */
export async function* scanSegment(file: StorageFile, range: ScanRange): AsyncGenerator<ScannedBatch, void> {
  const { end, limits, chunkBytes = CHUNK_BYTES } = range;
  let { position, nextOffset } = range;
  while (position < end) {
    const bytes = await readBatches(file, { position, end, limits, maxBytes: chunkBytes });
    for (let at = 0; at < bytes.length; ) {
      let batch: RecordBatch;
      try {
        batch = RecordBatch.parse(bytes, at, limits);
        if (nextOffset !== undefined && batch.baseOffset !== nextOffset) {
          throw new CorruptBatchError(`a batch begins at offset ${batch.baseOffset} where ${nextOffset} is next`);
        }
        if (range.verify) batch.verify();
      } catch (error) {
        throw (error as LogStoreError).with({ byte: position, offset: nextOffset });
      }
      yield { batch, position };
      at += batch.byteLength;
      position += batch.byteLength;
      nextOffset = batch.nextOffset;
    }
    // A file shorter than it is said to be: the parser above has nothing to judge.
    if (bytes.length === 0) throw new CorruptBatchError("the file ends early", { byte: position, offset: nextOffset });
  }
}
