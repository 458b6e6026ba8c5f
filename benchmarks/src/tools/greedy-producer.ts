/**
 * Measures the effect of a greedy producer on others: the time from sending a record to its ack,
 * and to its delivery to a tailing consumer, at a steady rate; alone, and while a producer in
 * another process sends sealed batches to another topic as fast as it can.
 *
 *   node src/tools/greedy-producer.ts --rounds 4 --seconds 5 --rate 400 --partitions 8
 *   node src/tools/greedy-producer.ts --server <another checkout> --server ..   # built, in turns
 *
 * The processors of the machine are shared, too: with --elsewhere the greedy producer sends to
 * another server on the same machine, which is the best possible result.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { constants, setPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { programFile } from "../processes/run-program.ts";
import { ServerProcess } from "../processes/server-process.ts";
import { percentile } from "../statistics/spread.ts";
import { deliveryTimes, type Times } from "./victims.ts";

const { values: flags } = parseArgs({
  options: {
    server: { type: "string", multiple: true, default: [fileURLToPath(new URL("../../..", import.meta.url))] },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "4" },
    /** Records per second of all victims together. */
    rate: { type: "string", default: "400" },
    partitions: { type: "string", default: "8" },
    durability: { type: "string", default: "flushed" },
    /** Number of greedy producers, each with its own connection and topic. */
    greedy: { type: "string", default: "1" },
    "batch-bytes": { type: "string", default: String(256 * 1024) },
    elsewhere: { type: "boolean", default: false },
  },
});

const load = {
  partitions: Number(flags.partitions),
  rate: Number(flags.rate),
  seconds: Number(flags.seconds),
  durability: flags.durability as "flushed" | "written",
};
const measured = new Map<string, Times>();

console.log(JSON.stringify({ ...load, greedy: flags.greedy, batchBytes: flags["batch-bytes"], rounds: flags.rounds }));
for (let round = 1; round <= Number(flags.rounds); round++) {
  for (const checkout of flags.server) await measure(round, checkout);
}
console.log("| server | | to the ack: p50, ms | p99 | to the consumer: p50 | p99 | most | records |");
console.log("|---|---|---|---|---|---|---|---|");
for (const [name, { acked, received }] of measured) {
  const ms = (values: readonly number[], part: number) => percentile(values, part).toFixed(1);
  console.log(
    `| ${name} | ${ms(acked, 0.5)} | ${ms(acked, 0.99)} | ${ms(received, 0.5)} | ${ms(received, 0.99)} | ${ms(received, 1)} | ${received.length} |`,
  );
}

async function measure(round: number, checkout: string): Promise<void> {
  await withServer(checkout, async (server) => {
    add(`${checkout} | alone`, await deliveryTimes(server.address, "alone", load));
    await beside(server, server.address, async () => {
      add(`${checkout} | beside`, await deliveryTimes(server.address, "beside", load));
    });
    if (!flags.elsewhere) return;
    await withServer(checkout, (other) =>
      beside(other, other.address, async () => {
        add(`${checkout} | elsewhere`, await deliveryTimes(server.address, "elsewhere", load));
      }),
    );
  });

  async function beside(server: ServerProcess, address: string, work: () => Promise<void>): Promise<void> {
    const greedy = await Promise.all(Array.from({ length: Number(flags.greedy) }, (_, i) => startGreedy(address, i)));
    const [cpuMs, begun] = [await server.cpuMs(), performance.now()];
    await work();
    const busy = ((await server.cpuMs()) - cpuMs) / (performance.now() - begun);
    const rates = await Promise.all(greedy.map(stopGreedy));
    const sum = rates.reduce((a, b) => a + b, 0);
    console.error(
      `round ${round}, ${checkout}: ${Math.round(sum)} MB/s from the greedy, server ${busy.toFixed(2)} processors`,
    );
  }
}

function add(name: string, { acked, received }: Times): void {
  const before = measured.get(name) ?? { acked: [], received: [] };
  measured.set(name, { acked: [...before.acked, ...acked], received: [...before.received, ...received] });
}

async function withServer(checkout: string, work: (server: ServerProcess) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "logstore-greedy-"));
  const server = await ServerProcess.start(directory, { checkout });
  try {
    await work(server);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function startGreedy(address: string, index: number): Promise<ChildProcess> {
  const greedy = fork(programFile("greedy-producer"), [address, `greedy-${index}`, flags["batch-bytes"]]);
  // With --elsewhere it would have its own machine: here it gets the processor time that the others
  // leave.
  setPriority(greedy.pid!, constants.priority.PRIORITY_LOW);
  await once(greedy, "message");
  await sleep(1_000); // it is at full speed
  return greedy;
}

/** Resolves to its rate, in MB/s. */
async function stopGreedy(greedy: ChildProcess): Promise<number> {
  const exited = once(greedy, "exit");
  greedy.send("stop");
  const [rate] = await once(greedy, "message");
  await exited;
  return Number(rate);
}
