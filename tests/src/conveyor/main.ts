/**
 * Runs the conveyor for any length of time: `pnpm conveyor --minutes 60 --seed 1`. `--scenario 17`
 * replays the scenario of one seed, `--only records` draws only ways with that name, `--scale 4`
 * transfers four times as much.
 */
import { parseArgs } from "node:util";
import { seededRandom } from "../bytes.ts";
import { conveyor } from "./conveyor.ts";
import { describe, drawScenario } from "./scenario.ts";
import { ways } from "./ways.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    scenario: { type: "string" },
    scale: { type: "string", default: "1" },
    only: { type: "string", multiple: true, default: [] },
  },
});

const names = values.only.length > 0 ? values.only : Object.keys(ways);
const first = Number(values.scenario ?? values.seed);
const end = performance.now() + Number(values.minutes) * 60_000;
const combinations = new Set<string>();
let [scenarios, records, bytes, failed] = [0, 0, 0, 0];
for (let seed = first; scenarios === 0 || (values.scenario === undefined && performance.now() < end); seed++) {
  const scenario = drawScenario(seed, names, seededRandom(seed), Number(values.scale));
  // A failed call, for example to a server that got no processor time for half a minute, ends its
  // scenario but not the run.
  const outcome = await conveyor(scenario, { timeLimitMs: 180_000 }).catch((error: unknown) => ({
    records: 0,
    bytes: 0,
    ms: 0,
    problems: [`failed: ${error instanceof Error ? error.stack : error}`],
  }));
  scenarios++;
  records += outcome.records;
  bytes += outcome.bytes;
  combinations.add(describe(scenario));
  const line = `${seed}: ${describe(scenario)}: ${outcome.records} records, ${Math.round(outcome.ms)} ms`;
  if (outcome.problems.length > 0) {
    failed++;
    console.error(`${line}\n  ${outcome.problems.join("\n  ")}`);
    process.exitCode = 1;
  } else if (values.scenario !== undefined || scenarios % 20 === 0) {
    console.log(line);
  }
}
console.log(
  `${scenarios} scenarios, ${combinations.size} combinations, ${records} records (${Math.round(bytes / 1e6)} MB) checked, ${failed} failed`,
);
process.exit();
