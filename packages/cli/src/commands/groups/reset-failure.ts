/** The error of a reset that was made in part: it says of which partitions. */
import type { TopicPartition } from "@logstore/client";
import { CliError } from "../../errors/cli-error.js";
import { describeError } from "../../errors/describe-error.js";
import { counted } from "../../output/numbers.js";
import type { ResetOutcome } from "./reset-apply.js";

/** Returns the error itself if only one request was made, and that one failed. */
export function resetFailure(group: string, { done, unknown, left, failure }: ResetOutcome): unknown {
  const error = failure!.error;
  if (done.length + left.length === 0) return error;
  const { code, message, exitCode } = describeError(error);
  const parts = [
    `${counted(done.length, "offset")} of group ${group} ${done.length === 1 ? "is" : "are"} reset${named(done)}`,
    `${unknown.length} may be${named(unknown)}`,
    ...(left.length === 0 ? [] : [`${left.length} ${left.length === 1 ? "is" : "are"} not${named(left)}`]),
  ];
  return new CliError(code, `${message} (${parts.join("; ")})`, {
    cause: error,
    exitCode,
    hint: `logstore groups describe ${group} shows the offsets; reset the rest with --topic and --partitions`,
  });
}

/** ": orders 0-3,7, refunds 0", or nothing. */
function named(partitions: readonly TopicPartition[]): string {
  if (partitions.length === 0) return "";
  const topics = Array.from(
    Map.groupBy(partitions, ({ topic }) => topic),
    ([topic, some]) => `${topic} ${ranges(some.map(({ partition }) => partition))}`,
  );
  return `: ${topics.join(", ")}`;
}

/** Returns numbers as `--partitions` takes them: "0-3,7". */
function ranges(numbers: readonly number[]): string {
  const found: { first: number; last: number }[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const range = found.at(-1);
    if (range !== undefined && number === range.last + 1) range.last = number;
    else found.push({ first: number, last: number });
  }
  return found.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}
