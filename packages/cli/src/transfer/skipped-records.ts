import type { SkippedRecords } from "@logstore/client";
import { count } from "../output/numbers.js";
import type { Output } from "../output/output.js";

/** Warns of records that the output of a command lacks. */
export function warnOfSkipped(output: Output, { topic, partition, from, to }: SkippedRecords): void {
  output.warn(
    `offsets ${count(from)} to ${count(to - 1)} of ${topic}, partition ${partition}, are gone: deleted or lost`,
  );
}
