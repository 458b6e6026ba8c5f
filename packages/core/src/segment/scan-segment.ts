/** A strict iteration over a segment's batches, which finds where the log stops being valid. */
import { type BatchLimits, CorruptBatchError, type LogStoreError, RecordBatch } from "@logstore/codec";
import type { StorageFile } from "../storage/storage.js";
import { readBatches } from "./read-batches.js";

const CHUNK_BYTES = 1024 * 1024;

export interface ScanRange {
  readonly position: number;
  readonly end: number;
  /** Expected base offset of the batch at `position`; undefined if it is not known. */
  readonly nextOffset: number | undefined;
  readonly limits: BatchLimits;
  /** Whether to verify the producers' checksums, too, or only the headers. */
  readonly verify: boolean;
  /** Bytes per read. Default 1 MiB. */
  readonly chunkBytes?: number | undefined;
}

export interface ScannedBatch {
  readonly batch: RecordBatch;
  readonly position: number;
}

/**
 * Yields each batch from `position` on.
 *
 * @throws LogStoreError at the first invalid batch; its `byte` is the position in the file, and its
 * `offset` the expected base offset
 */
export async function* scanSegment(file: StorageFile, range: ScanRange): AsyncGenerator<ScannedBatch, void> {
  const { end, limits, chunkBytes = CHUNK_BYTES } = range;
  let { position, nextOffset } = range;
  let firstLength: number | undefined;
  while (position < end) {
    const { bytes, nextLength } = await readBatches(file, { position, end, limits, maxBytes: chunkBytes, firstLength });
    firstLength = nextLength;
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
    // The file is shorter than expected, so that there is nothing to parse.
    if (bytes.length === 0) throw new CorruptBatchError("the file ends early", { byte: position, offset: nextOffset });
  }
}
