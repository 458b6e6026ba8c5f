/**
 * Runs the crash sweep for any length of time, or replays a failure: `pnpm sweep --recoveries
 * 1000000 --nested 100000 --seed 1`, `pnpm sweep --seed 17 --at 123:tear:5`.
 */
import { parseArgs } from "node:util";
import { parseCrashes, replay, type SweepTotals, sweep } from "./sweep.js";

const { values } = parseArgs({
  options: {
    recoveries: { type: "string", default: "70000" },
    nested: { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
    without: { type: "string", multiple: true, default: [] },
    at: { type: "string" },
    "keep-going": { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const { without } = values;
const begun = performance.now();

function say({ runs, recoveries, nested }: SweepTotals): void {
  const perSecond = Math.round(((recoveries + nested) / (performance.now() - begun)) * 1000);
  process.stdout.write(
    `seed ${seed}: ${runs} workloads, ${recoveries} recoveries, ${nested} of recoveries that were stopped, ${perSecond} a second\n`,
  );
}

function fail(error: Error): void {
  const { stack } = (error.cause ?? error) as Error;
  process.stderr.write(`${error.message}\n${values["keep-going"] ? "" : `${stack}\n`}`);
  process.exitCode = 1;
}

try {
  if (values.at === undefined) {
    const [recoveries, nested] = [Number(values.recoveries), Number(values.nested)];
    const progress = (totals: SweepTotals) => totals.runs % 10 === 0 && say(totals);
    say(await sweep({ seed, without, recoveries, nested, progress, failed: values["keep-going"] ? fail : undefined }));
  } else {
    await replay(seed, without, parseCrashes(values.at));
    process.stdout.write("nothing wrong was found\n");
  }
} catch (error) {
  fail(error as Error);
}
