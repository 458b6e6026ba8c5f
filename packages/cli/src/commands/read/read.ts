/** `logstore read` and `logstore tail`. */
import type { ConsumerRecord } from "@logstore/client";
import type { Context } from "../../command/context.js";
import { warnOfSkipped } from "../../transfer/skipped-records.js";
import type { LogPosition } from "../../values/position.js";
import { ChunkedWriter } from "./chunked-writer.js";
import { type FilterOptions, type RecordFilter, recordFilter } from "./filter.js";
import { onlyTopic } from "./only-topic.js";
import { findRanges, type Ranges } from "./partition-range.js";
import { formatString, type RecordFormat, recordFormat } from "./record-format.js";
import { readRanges, type Source } from "./records.js";
import { Statistics } from "./statistics.js";

export interface ReadOptions extends FilterOptions {
  readonly partitions?: readonly number[];
  readonly from?: LogPosition;
  readonly until?: LogPosition;
  readonly count?: number;
  readonly format?: string;
  readonly formatString?: string;
  readonly jsonValues?: boolean;
}

const EARLIEST: LogPosition = { type: "edge", edge: "earliest" };
const LATEST: LogPosition = { type: "edge", edge: "latest" };

export async function run(context: Context, options: ReadOptions, topic?: string): Promise<void> {
  await readTopic(context, { from: EARLIEST, ...options }, topic, readRanges);
}

/**
 * @param named undefined: the only topic of a directory
 * @param sequence the records of the ranges, and of later offsets if they are followed
 */
export async function readTopic(
  context: Context,
  options: ReadOptions & { readonly from: LogPosition },
  named: string | undefined,
  sequence: (source: Source, ranges: Ranges["ranges"]) => AsyncGenerator<ConsumerRecord, void, undefined>,
): Promise<void> {
  const { output, signal } = context;
  const filter = recordFilter(options);
  const format = formatOf(context, options);
  const topic = named ?? (await onlyTopic(context));
  const { client } = await context.open();
  const { partitions, from, until = LATEST, count = Number.POSITIVE_INFINITY } = options;
  const { ranges, warnings, isDamaged } = await findRanges(client, topic, { partitions, from, until });
  for (const warning of warnings) output.warn(warning);
  if (isDamaged) context.exitCode = 1;
  const statistics = new Statistics();
  try {
    const records = sequence({ client, topic, signal, onSkipped: (skipped) => warnOfSkipped(output, skipped) }, ranges);
    if (count > 0) await show(context, records, { filter, format, count, statistics });
  } finally {
    statistics.report(context, filter);
  }
}

interface Showing {
  readonly filter: RecordFilter;
  readonly format: RecordFormat;
  readonly count: number;
  readonly statistics: Statistics;
}

async function show(
  { output }: Context,
  records: AsyncGenerator<ConsumerRecord, void, undefined>,
  { filter, format, count, statistics }: Showing,
): Promise<void> {
  const writer = new ChunkedWriter(output);
  try {
    for await (const record of records) {
      statistics.read++;
      if (!filter.matches(record)) continue;
      statistics.shown++;
      statistics.shownBytes += record.value.length + (record.key?.length ?? 0);
      const room = writer.write(format(record));
      if (room !== undefined) await room;
      if (statistics.shown >= count) break;
    }
  } finally {
    await writer.flush();
  }
}

/** The default format is JSON if stdout is not a terminal. */
function formatOf({ output }: Context, { format, formatString: template, jsonValues }: ReadOptions): RecordFormat {
  if (template !== undefined) return formatString(template);
  const { isTerminal, style } = output;
  const name = output.json ? "json" : (format ?? (isTerminal ? "text" : "json"));
  return recordFormat(name, { isTerminal, style, parsesJson: jsonValues === true });
}
