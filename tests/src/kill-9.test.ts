/** Real processes, real SIGKILL, at random moments. `pnpm soak` runs many more. */
import { expect, test } from "vitest";
import { runWithKills } from "./kill-9-run.ts";

const firstSeed = Number(process.env["KILL_SEED"] ?? Math.floor(Math.random() * 1e9));

test.each([0, 1, 2])("acknowledged records survive the server's kill (run %i)", async (run) => {
  const seed = firstSeed + run;
  const { acknowledged, problems } = await runWithKills({ seed, kills: 3, recordsPerKill: 2_000 });
  expect(problems, `KILL_SEED=${seed}`).toEqual([]);
  expect(acknowledged).toBeGreaterThan(0);
});
