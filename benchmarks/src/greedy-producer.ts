/**
 * What a greedy producer costs others: the time from sending a record until the loop over a consumer has it, at a steady rate, alone
 * and beside a producer in another process that sends as much as it can to another topic.
 *
 *   node src/greedy-producer.ts --seconds 5 --rounds 3 --rate 200
 *   node src/greedy-producer.ts --server ../../old --server ..     # servers of these checkouts, in turns
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect } from "@logstore/client";
import { percentile } from "./measure.ts";
import { commandOf, ServerProcess } from "./server-process.ts";

const { values: flags } = parseArgs({
  options: {
    server: { type: "string", multiple: true, default: [fileURLToPath(new URL("../..", import.meta.url))] },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    rate: { type: "string", default: "200" },
    bytes: { type: "string", default: "1000" },
    "same-partition": { type: "boolean", default: false },
    greedy: { type: "string" },
    topic: { type: "string" },
  },
});

if (flags.greedy !== undefined) await beGreedy(flags.greedy, flags.topic!);
else await measure();

async function measure(): Promise<void> {
  const times = new Map<string, number[]>();
  const add = (name: string, more: number[]) => times.set(name, [...(times.get(name) ?? []), ...more]);
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const checkout of flags.server) {
      const directory = await mkdtemp(join(tmpdir(), "logstore-greedy-"));
      const server = await ServerProcess.start(directory, undefined, commandOf(checkout));
      try {
        add(`${checkout}: alone`, await deliveryTimes(server.address, "steady-alone"));
        const greedy = await startGreedy(server.address, flags["same-partition"] ? "steady" : "greedy");
        add(`${checkout}: beside a greedy producer`, await deliveryTimes(server.address, "steady"));
        const exited = once(greedy, "exit");
        greedy.send("stop");
        const [sent] = await once(greedy, "message");
        await exited;
        console.error(`round ${round + 1}, ${checkout}: the greedy producer sent ${Math.round(Number(sent))} MB/s`);
      } finally {
        await server.stop();
        await rm(directory, { recursive: true, force: true });
      }
    }
  }
  for (const [name, all] of times) {
    const [p50, p99, most] = [0.5, 0.99, 1].map((part) => percentile(all, part).toFixed(1));
    console.log(`${name}: p50 ${p50} ms, p99 ${p99} ms, most ${most} ms, of ${all.length}`);
  }
}

async function deliveryTimes(address: string, topic: string): Promise<number[]> {
  const client = connect(address);
  await client.createTopic(topic, { partitions: 1, ifNotExists: true });
  const producer = client.producer(topic);
  const count = Number(flags.rate) * Number(flags.seconds);
  const intervalMs = 1_000 / Number(flags.rate);
  const times: number[] = [];
  await producer.send({ key: "steady", value: new Uint8Array(8) });
  const consumer = client.consumer({ assign: { [topic]: [0] }, from: "latest" });
  const reading = (async () => {
    for await (const { key, value } of consumer) {
      if (key === null) continue; // the greedy one's
      times.push(performance.now() - new DataView(value.buffer, value.byteOffset).getFloat64(0));
      if (times.length === count) return;
    }
  })();
  await sleep(500);
  const start = performance.now();
  const sends: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    const dueAt = start + i * intervalMs;
    await sleep(Math.max(0, dueAt - performance.now()));
    const value = new Uint8Array(100);
    new DataView(value.buffer).setFloat64(0, performance.now());
    sends.push(producer.send({ key: "steady", value }));
  }
  await Promise.all(sends);
  await reading;
  await client.close();
  return times;
}

async function startGreedy(address: string, topic: string): Promise<ChildProcess> {
  const args = ["--greedy", address, "--topic", topic, "--bytes", flags.bytes];
  const greedy = fork(fileURLToPath(import.meta.url), args);
  await once(greedy, "message");
  await sleep(1_000); // it is at full speed
  return greedy;
}

async function beGreedy(address: string, topic: string): Promise<void> {
  const client = connect(address);
  await client.createTopic(topic, { partitions: 1, ifNotExists: true, durability: "written" });
  let isOver = false;
  process.once("message", () => (isOver = true));
  process.send!("begun");
  const value = new Uint8Array(Number(flags.bytes));
  let count = 0;
  function* records() {
    for (; !isOver; count++) yield { value };
  }
  const begun = performance.now();
  await client.producer(topic).sendMany(records());
  process.send!((count * value.length) / 1e3 / (performance.now() - begun));
  await client.close();
  process.disconnect();
}
