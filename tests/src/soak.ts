/** The kill -9 test for as long as one likes: `pnpm soak --runs 1000 --kills 5 --seed 1`. */
import { parseArgs } from "node:util";
import { runWithKills } from "./kill-9-run.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "50" },
    kills: { type: "string", default: "5" },
    records: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
  },
});
const runs = Number(values.runs);
const kills = Number(values.kills);
let acknowledged = 0;
for (let run = 0; run < runs; run++) {
  const seed = Number(values.seed) + run;
  const outcome = await runWithKills({ seed, kills, recordsPerKill: Number(values.records) });
  acknowledged += outcome.acknowledged;
  if (outcome.problems.length > 0) {
    console.error(`seed ${seed}:\n${outcome.problems.slice(0, 20).join("\n")}`);
    process.exit(1);
  }
  if ((run + 1) % 10 === 0)
    console.log(`${run + 1} of ${runs} runs, ${(run + 1) * kills} kills, ${acknowledged} acknowledged`);
}
console.log(
  `${runs} runs, ${runs * (kills + 1)} kills: every one of ${acknowledged} acknowledged records was there, once, in order`,
);
