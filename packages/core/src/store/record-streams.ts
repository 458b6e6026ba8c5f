/** The two ways to read a partition's records. */
import type { ReadableLog } from "../partition/read/readable-log.js";
import type { ReadOptions, TailOptions } from "./call-options.js";
import { checkReadOptions, checkTailOptions, toPosition } from "./check-options.js";
import { RecordStream } from "./record-stream.js";

/** To the log's end, as it is when the iteration starts. */
export function readRecords(log: ReadableLog, options: ReadOptions): RecordStream {
  checkReadOptions(options);
  const { from = "earliest", onSkipped } = options;
  return new RecordStream(log, { from: toPosition(from), follow: false, onSkipped });
}

/** And then those that are appended, as soon as they may be read. */
export function tailRecords(log: ReadableLog, options: TailOptions): RecordStream {
  checkTailOptions(options);
  const { from = "latest", onSkipped, signal } = options;
  return new RecordStream(log, { from: toPosition(from), follow: true, onSkipped, signal });
}
