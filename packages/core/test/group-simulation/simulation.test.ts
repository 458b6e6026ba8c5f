/** A sample of the simulation; `pnpm simulate` runs for any length of time. */
import { expect, test } from "vitest";
import { report } from "../cases.js";
import { quickly } from "../crash-sweep/quickly.js";
import { firstSeed } from "../random.js";
import { simulate } from "./simulate.js";

const seeds = Number(process.env["CORE_SIMULATIONS"] ?? 600);

test(`${seeds} groups under faults, CORE_SEED=${firstSeed}`, { timeout: 900_000 }, async () => {
  const totals = { deliveries: 0, accepted: 0, refused: 0, crashes: 0 };
  await quickly(async () => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const { deliveries, accepted, refused, crashes } = await simulate(seed).catch((error: Error) => {
        throw new Error(`pnpm simulate --seed ${seed}: ${error.message}`, { cause: error });
      });
      totals.deliveries += deliveries;
      totals.accepted += accepted;
      totals.refused += refused;
      totals.crashes += crashes;
    }
  });
  report(`${seeds} groups, CORE_SEED=${firstSeed}: ${JSON.stringify(totals)}`);
  // A single seed may not contain every fault.
  if (seeds >= 100) for (const count of Object.values(totals)) expect(count).toBeGreaterThan(0);
});

test("a seed replays exactly the same events", async () => {
  const [once, again]: [string[], string[]] = [[], []];
  await simulate(3, (what) => once.push(what));
  await simulate(3, (what) => again.push(what));
  expect(once.length).toBeGreaterThan(100);
  expect(again).toEqual(once);
});
