/**
 * Runs the simulation for any length of time, or replays a seed: `pnpm simulate --seeds 1000000`,
 * `pnpm simulate --seed 17`.
 */
import { writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { quickly } from "../crash-sweep/quickly.js";
import { simulate } from "./simulate.js";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    "keep-going": { type: "boolean", default: false },
  },
});
const [first, count] = [Number(values.seed), Number(values.seeds)];
const tell = (what: string) => void writeSync(1, `${what}\n`);
const begun = performance.now();
const totals = { deliveries: 0, accepted: 0, refused: 0, crashes: 0 };

async function one(seed: number): Promise<void> {
  try {
    const { deliveries, accepted, refused, crashes } = await (count === 1
      ? simulate(seed, tell)
      : quickly(() => simulate(seed)));
    totals.deliveries += deliveries;
    totals.accepted += accepted;
    totals.refused += refused;
    totals.crashes += crashes;
  } catch (error) {
    process.stderr.write(`--seed ${seed}: ${count === 1 ? (error as Error).stack : (error as Error).message}\n`);
    process.exitCode = 1;
    if (!values["keep-going"]) process.exit();
  }
}

const PROGRESS_SEEDS = 10_000;
for (let seed = first; seed < first + count; seed++) {
  await one(seed);
  const done = seed + 1 - first;
  if (done % PROGRESS_SEEDS === 0) tell(`${done} seeds from ${first}: ${JSON.stringify(totals)}`);
}
const ms = Math.round(performance.now() - begun);
process.stdout.write(`${count} seeds from ${first} in ${ms} ms: ${JSON.stringify(totals)}\n`);
process.exit();
