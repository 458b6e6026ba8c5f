// For everyone

// For those who build a store, a transport or a client on it
export { declaredBatchLength, declaredCounts, declaredOffsets, frameBatches } from "./batch-framer.js";
export { callAll } from "./call-all.js";
export { type CompressionName, type Compressor, registerCompression, type Unpacked } from "./compression.js";
export { crc32c, portableCrc32c } from "./crc32c.js";
export * from "./errors.js";
export { FORMAT_MARK, HEADER_LENGTH, MIN_BATCH_LENGTH, NO_PRODUCER_ID } from "./layout.js";
export { type BatchLimits, defaultBatchLimits, MAX_RECORDS_PER_BATCH } from "./limits.js";
export {
  abortSignal,
  boolean,
  checkArgument,
  checkOptions,
  durationMs,
  either,
  func,
  limit,
  listOf,
  listOfNested,
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
export { fnv1a32, fnvPartitioner, keyBytes, type Partitioner } from "./partitioner.js";
export type { Bytes, Header, HeaderInput, LogRecord, RecordInput } from "./record.js";
export { RecordBatch } from "./record-batch.js";
export { type ProducerStamp, RecordBatchBuilder, type RecordBatchBuilderOptions } from "./record-batch-builder.js";
export { RecordCursor } from "./record-cursor.js";
export {
  hasSoundServerHalf,
  type PlacedServerHalf,
  readServerHalf,
  type ServerHalf,
  writeServerHalf,
} from "./server-half.js";
export { suggestion } from "./suggestion.js";
export { startInterval, startTimer, type Timer, type TimerOptions } from "./timer.js";
export { batchesToAppend, validateBatches } from "./validate-batch.js";
