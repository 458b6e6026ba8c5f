/** A sample of the crash sweep; `pnpm sweep` runs for any length of time. */
import { expect, test } from "vitest";
import { firstSeed } from "../random.js";
import { parseCrashes, replay, sweep } from "./sweep.js";
import { type Moment, runWorkload } from "./workload.js";

const recoveries = Number(process.env["CORE_RECOVERIES"] ?? 20_000);
const nested = Math.ceil(recoveries / 14);

test(`${recoveries} recoveries and ${nested} nested ones, CORE_SEED=${firstSeed}`, {
  timeout: 600_000,
}, async () => {
  const totals = await sweep({ seed: firstSeed, recoveries, nested });
  expect(totals.recoveries).toBeGreaterThanOrEqual(recoveries);
  expect(totals.nested).toBeGreaterThanOrEqual(nested);
});

test("a seed replays its workload, call by call, and a chain of crashes in it", async () => {
  const [run, same] = [await runWorkload(5), await runWorkload(5)];
  expect(run.moments.length).toBeGreaterThan(10);
  expect(same.moments.map(describe)).toEqual(run.moments.map(describe));
  await replay(5, [], parseCrashes("9:tear:1/0:kill:2/1:drop-all:3"));
});

function describe({ disk, partitions }: Moment) {
  return { files: disk.paths().map((path) => [path, disk.content(path)]), partitions };
}
