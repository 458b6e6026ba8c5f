/** Streams of a partition's records, with or without those that are appended later. */
import type { ReadableLog } from "../partition/read/readable-log.js";
import type { ReadOptions, TailOptions } from "./call-options.js";
import { checkReadOptions, checkTailOptions, toPosition } from "./check-options.js";
import { RecordStream } from "./record-stream.js";

/** Ends at the end of the log as of the start of the iteration. */
export function readRecords(log: ReadableLog, options: ReadOptions): RecordStream {
  checkReadOptions(options);
  const { from = "earliest", onSkipped } = options;
  return new RecordStream(log, { from: toPosition(from), follow: false, onSkipped });
}

/** Continues with records that are appended later. */
export function tailRecords(log: ReadableLog, options: TailOptions): RecordStream {
  checkTailOptions(options);
  const { from = "latest", onSkipped, signal } = options;
  return new RecordStream(log, { from: toPosition(from), follow: true, onSkipped, signal });
}
