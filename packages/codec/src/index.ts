// Application API: batches of records, errors, and the choice of a partition

export {
  type CompressionName,
  type Compressor,
  compressionNames,
  registerCompression,
  type Unpacked,
} from "./compression.js";
export type { ErrorCode } from "./error-code.js";
export * from "./errors.js";
export { type ErrorFields, LogStoreError } from "./log-store-error.js";
export { errorCodes, makeError } from "./make-error.js";
export { fnvPartitioner, type Partitioner } from "./partitioner.js";
export type { Bytes, Header, HeaderInput, LogRecord, RecordInput } from "./record.js";
export { RecordBatch } from "./record-batch.js";
export { RecordBatchBuilder, type RecordBatchBuilderOptions } from "./record-batch-builder.js";
export { RecordCursor } from "./record-cursor.js";

// For authors of stores, transports and clients: the layout of batches, their limits and validation

export { declaredBatchLength, declaredCounts, declaredOffsets, frameBatches } from "./batch-framer.js";
export { crc32c, portableCrc32c } from "./crc32c.js";
export { FORMAT_MARK, HEADER_LENGTH, MIN_BATCH_LENGTH, NO_PRODUCER_ID } from "./layout.js";
export { type BatchLimits, defaultBatchLimits, MAX_RECORDS_PER_BATCH } from "./limits.js";
export { fnv1a32, keyBytes } from "./partitioner.js";
export type { ProducerStamp } from "./record-batch-builder.js";
export {
  hasSoundServerHalf,
  type PlacedServerHalf,
  readServerHalf,
  type ServerHalf,
  writeServerHalf,
} from "./server-half.js";
export { batchesToAppend, validateBatches } from "./validate-batch.js";

// For the other packages of LogStore: validation of options, callbacks and timers

export { Alarm } from "./alarm.js";
export { callAll } from "./call-all.js";
export {
  abortSignal,
  type Bounds,
  boolean,
  checkArgument,
  checkOptions,
  durationMs,
  either,
  func,
  limit,
  listOf,
  listOfNested,
  type MemberRules,
  nested,
  nonEmptyString,
  type OptionRule,
  type OptionRules,
  objectWith,
  oneOf,
  required,
  shown,
  wholeNumber,
} from "./options.js";
export { suggestion } from "./suggestion.js";
export {
  type OneShotTimer,
  type SleepSignal,
  sleep,
  startInterval,
  startTimer,
  type Timer,
  type TimerOptions,
} from "./timer.js";
