import { judge, type Limits, type Verdict } from "../check/judge.js";
import type { Context } from "../command/context.js";
import { CliError } from "../errors/cli-error.js";
import { describeError } from "../errors/describe-error.js";
import { takeSample } from "../top/sample.js";

interface Options extends Limits {
  readonly group?: readonly string[];
  readonly topic?: readonly string[];
}

/** The exit codes of monitoring plug-ins. */
const exitCodesOf = { OK: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3 } as const;

/** Prints one line and sets the exit code, for Nagios, Icinga and compatible systems. */
export async function run(context: Context, options: Options): Promise<void> {
  const verdict = await verdictOf(context, options);
  context.exitCode = exitCodesOf[verdict.state];
  await context.output.result(verdict, () => {
    const format = ({ OK: "green", WARNING: "yellow", CRITICAL: "red", UNKNOWN: "magenta" } as const)[verdict.state];
    const values = verdict.metrics.map(
      ({ name, value, warning = "", critical = "" }) => `${name}=${value};${warning};${critical}`,
    );
    const metrics = values.length === 0 ? "" : ` | ${values.join(" ")}`;
    return `LOGSTORE ${context.output.style(format, verdict.state)}: ${verdict.message}${metrics}`;
  });
}

async function verdictOf(context: Context, options: Options): Promise<Verdict> {
  try {
    const { client } = await context.open();
    const began = performance.now();
    const sample = await takeSample(client);
    const answerMs = Math.round(performance.now() - began);
    const topics = chosen(sample.topics, options.topic, ({ topic }) => topic, "topic");
    const groups = chosen(sample.groups, options.group, ({ group }) => group, "group");
    return judge({ ...sample, topics, groups }, answerMs, options);
  } catch (error) {
    const { code, message } = describeError(error);
    const state = code === "UNAVAILABLE" || code === "STORAGE_FAILED" ? "CRITICAL" : "UNKNOWN";
    return { state, message: `${code}: ${message}`, metrics: [] };
  }
}

/** A named topic or group must exist, because a check of nothing would always succeed. */
function chosen<T>(
  all: readonly T[],
  names: readonly string[] | undefined,
  nameOf: (one: T) => string,
  what: string,
): T[] {
  if (names === undefined) return [...all];
  return names.map((name) => {
    const found = all.find((one) => nameOf(one) === name);
    if (found === undefined) throw new CliError(`UNKNOWN_${what.toUpperCase()}`, `there is no ${what} ${name}`);
    return found;
  });
}
