/** Thirty rounds of the failover suite. `pnpm failover --rounds 500` runs more. */
import { expect, test } from "vitest";
import { natsServer, SKIPPED } from "../../../packages/engine-jetstream/test/nats-servers.ts";
import { runRounds } from "./run-rounds.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
else
  test(`what a cluster has acknowledged outlives its servers and brokers (SEED=${seed})`, async () => {
    const { problems } = await runRounds({ rounds: 30, seed, clusters: 5, roundsPerCluster: 6 });
    expect(problems, `seed ${seed}`).toEqual([]);
  }, 600_000);
