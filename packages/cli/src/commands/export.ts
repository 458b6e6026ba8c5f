import type { Context } from "../command/context.js";
import { UsageError } from "../errors/cli-error.js";
import { exitCodes } from "../errors/exit-codes.js";
import { counted } from "../output/numbers.js";
import { noProgress } from "../output/progress.js";
import type { RecordWriter } from "../records/record-writer.js";
import { exportRecords } from "../transfer/export-records.js";
import { openSink } from "../transfer/export-sink.js";
import { warnOfSkipped } from "../transfer/skipped-records.js";
import type { LogPosition } from "../values/position.js";
import { findRanges } from "./read/partition-range.js";

interface Options {
  readonly format?: "ndjson" | "csv" | "directory";
  readonly output?: string;
  readonly partitions?: readonly number[];
  readonly from?: LogPosition;
  readonly until?: LogPosition;
}

const EARLIEST: LogPosition = { type: "edge", edge: "earliest" };
const LATEST: LogPosition = { type: "edge", edge: "latest" };

/**
 * Writes the records below `until`, as resolved at the start, to stdout, a file or a new directory.
 */
export async function run(context: Context, options: Options, topic: string): Promise<void> {
  const { output } = context;
  const format = options.format ?? (options.output?.endsWith(".csv") ? "csv" : "ndjson");
  if (format === "directory") {
    if (options.output === undefined) throw new UsageError("an export to a directory needs --output DIRECTORY");
    if (options.partitions ?? options.from ?? options.until) {
      throw new UsageError("a directory gets the whole topic: leave out --partitions, --from and --until");
    }
    const { exportDirectory } = await import("../transfer/export-directory.js");
    return exportDirectory(context, topic, options.output);
  }
  const { client } = await context.open();
  const { partitions, from = EARLIEST, until = LATEST } = options;
  const { ranges, warnings, isDamaged } = await findRanges(client, topic, { partitions, from, until });
  for (const warning of warnings) output.warn(warning);
  if (isDamaged) context.exitCode = exitCodes.failed;
  const sink = await openSink(output, options.output);
  const total = ranges.reduce((sum, range) => sum + range.until - range.from, 0);
  const isSeen = sink.isStdout && output.isTerminal; // a progress bar would be mixed with the records
  const progress = isSeen ? noProgress : await output.progress({ label: `Exporting ${topic}`, total, unit: "records" });
  let done = 0;
  try {
    const onProgress = (records: number) => {
      done += records;
      progress.update(done);
    };
    done = await exportRecords(client, await writerOf(format), sink.write, {
      topic,
      ranges,
      signal: context.signal,
      onProgress,
      onSkipped: (skipped) => warnOfSkipped(output, skipped),
    });
    await sink.finish();
  } finally {
    progress.end();
    await sink.close();
  }
  output.note(`exported ${counted(done, "record")} of ${topic}`);
}

async function writerOf(format: "ndjson" | "csv"): Promise<RecordWriter> {
  if (format === "csv") return new (await import("../records/csv-writer.js")).CsvWriter();
  return new (await import("../records/ndjson-writer.js")).NdjsonWriter();
}
