import type { Context } from "../../command/context.js";
import type { PartitionRange } from "./partition-range.js";
import { type ReadOptions, readTopic } from "./read.js";
import { followRanges, readRanges, type Source } from "./records.js";

/** Prints the existing records, then new ones until Ctrl-C. */
export async function run(context: Context, options: ReadOptions, topic?: string): Promise<void> {
  context.endsBySignal();
  await readTopic(context, { from: { type: "beforeEnd", records: 10 }, ...options }, topic, readAndFollow);
}

async function* readAndFollow(source: Source, ranges: readonly PartitionRange[]) {
  yield* readRanges(source, ranges);
  yield* followRanges(source, ranges);
}
