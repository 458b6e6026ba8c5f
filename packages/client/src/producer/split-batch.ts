import {
  type BatchTooLargeError,
  defaultBatchLimits,
  RecordBatch,
  RecordBatchBuilder,
  type RecordBatchBuilderOptions,
} from "@logstore/codec";
import { hasCode } from "../common/retry.js";
import { Batch } from "./batch.js";

/** Returns the options of a builder for batches of at most `maxBatchBytes`. */
export function limitedTo(options: RecordBatchBuilderOptions, maxBatchBytes: number): RecordBatchBuilderOptions {
  const maxRecordsBytes = Math.max(defaultBatchLimits.maxRecordsBytes, maxBatchBytes);
  return { ...options, limits: { maxBatchBytes, maxRecordsBytes } };
}

/**
 * Splits a sealed batch into smaller sealed ones with the same order and sequence numbers, so that
 * the log still recognizes repeated batches. The original is settled when its parts are.
 *
 * @throws RecordTooLargeError where a single record is too large; nothing is changed then
 */
function splitBatch(batch: Batch, options: RecordBatchBuilderOptions): Batch[] {
  const whole = RecordBatch.parse(batch.sealed!, 0, { ...defaultBatchLimits, maxBatchBytes: batch.sealed!.length });
  const { producerId, producerEpoch } = whole;
  const sealed: { readonly builder: RecordBatchBuilder; readonly bytes: Uint8Array; readonly count: number }[] = [];
  let builder = new RecordBatchBuilder(options);
  let done = 0;
  const close = () => {
    const count = builder.recordCount;
    const baseSequence = (whole.baseSequence + done) % 2 ** 32;
    sealed.push({ builder, bytes: builder.seal({ producerId, producerEpoch, baseSequence }), count });
    done += count;
    builder = new RecordBatchBuilder(options);
  };
  for (const { key, value, timestamp, headers } of whole) {
    if (builder.append(key, value, timestamp, headers)) continue;
    close();
    builder.append(key, value, timestamp, headers);
  }
  close();
  const waiters = batch.waiters.divide(sealed.map(({ count }) => count));
  const parts = sealed.map(({ builder, bytes }, i) => {
    const part = new Batch(builder, batch.deadline, undefined, waiters[i]);
    part.sealed = bytes;
    return part;
  });
  parts.at(-1)!.bufferedBytes = batch.bufferedBytes;
  batch.replacedBy(parts);
  return parts;
}

/** The builder options of a partition, which a lower limit of its topic changes. */
interface LimitedBatches {
  readonly builderOptions: RecordBatchBuilderOptions;
  limitTo(maxBatchBytes: number): void;
}

/**
 * Returns the parts of a batch that became too large for its topic; undefined if splitting does not
 * help.
 */
export function splitRefused(batch: Batch, batches: LimitedBatches): Batch[] | undefined {
  const { failure, sealed, waiters } = batch;
  if (!hasCode(failure, "BATCH_TOO_LARGE") || waiters.recordCount === 1) return undefined;
  // A proxy does not report its limit.
  const { expected = Math.floor(sealed!.length / 2) } = failure as BatchTooLargeError;
  if (expected >= sealed!.length) return undefined;
  try {
    batches.limitTo(expected);
    return splitBatch(batch, batches.builderOptions);
  } catch (error) {
    batch.failure = error;
    return undefined;
  }
}
