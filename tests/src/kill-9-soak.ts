/** Runs the kill -9 test for any length of time. */
import { runWithKills } from "./kill-9-run.ts";

export interface KillOptions {
  readonly runs: number;
  readonly kills: number;
  readonly recordsPerKill: number;
  readonly seed: number;
}

/** Returns false after printing the loss and the seed if an acknowledged record was lost. */
export async function killForLong({ runs, kills, recordsPerKill, seed: firstSeed }: KillOptions): Promise<boolean> {
  let acknowledged = 0;
  for (let run = 0; run < runs; run++) {
    const seed = firstSeed + run;
    const outcome = await runWithKills({ seed, kills, recordsPerKill });
    acknowledged += outcome.acknowledged;
    if (outcome.problems.length > 0) {
      console.error(`seed ${seed}:\n${outcome.problems.slice(0, 20).join("\n")}`);
      return false;
    }
    if ((run + 1) % 10 === 0) {
      console.log(`${run + 1} of ${runs} runs, ${(run + 1) * (kills + 1)} kills, ${acknowledged} acknowledged`);
    }
  }
  console.log(
    `${runs} runs, ${runs * (kills + 1)} kills: every one of ${acknowledged} acknowledged records was there, once, in order`,
  );
  return true;
}
