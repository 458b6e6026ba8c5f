/**
 * The failover suite: `pnpm failover --rounds 500 --seed 1`. Clusters of three NATS servers and two
 * brokers run while servers and brokers are killed, stopped and cut off. Needs a nats-server:
 * NATS_SERVER, or in the PATH.
 */
import { parseArgs } from "node:util";
import { natsServer, SKIPPED } from "../../../packages/engine-jetstream/test/nats-servers.ts";
import { runRounds } from "./run-rounds.ts";
import { table } from "./table.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "30" },
    seed: { type: "string", default: `${Math.floor(Math.random() * 2 ** 31)}` },
    clusters: { type: "string", default: "4" },
    "rounds-per-cluster": { type: "string" },
    quiet: { type: "boolean", default: false },
  },
});

if (natsServer() === undefined) {
  console.log(SKIPPED);
  process.exit(0);
}
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

const rounds = Number(values.rounds);
const clusters = Number(values.clusters);
const seed = Number(values.seed);
const roundsPerCluster = Number(values["rounds-per-cluster"] ?? Math.min(25, Math.ceil(rounds / clusters)));
console.log(`failover: ${rounds} rounds, seed ${seed}`);
const { tallies, problems } = await runRounds({
  rounds,
  seed,
  clusters,
  roundsPerCluster,
  signal: stop.signal,
  log: (line) => values.quiet || console.log(line),
});
console.log(table(tallies));
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
