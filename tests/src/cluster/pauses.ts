/**
 * Measures, from a client's side, how long a cluster does not acknowledge and deliver records when
 * a broker is stopped, and when it is killed. Each partition has one record in flight at a time,
 * and a reader.
 *
 *     NATS_SERVER=… node src/cluster/pauses.ts [--rounds 3] [--partitions 6] [--lease-ms 3000]
 */
import { parseArgs } from "node:util";
import { connect, json, type LogClient } from "@logstore/client";
import { NatsServers } from "../../../packages/engine-jetstream/test/nats-servers.ts";
import { freePort } from "../free-port.ts";
import { ServerProcess } from "../server-process.ts";

const BROKERS = ["a", "b", "c"];
const SETTLE_MS = 2_500;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    partitions: { type: "string", default: "6" },
    "lease-ms": { type: "string", default: "3000" },
    nats: { type: "string", default: "1" },
    verbose: { type: "boolean", default: false },
  },
});
const partitions = Number(values.partitions);
const leaseMs = Number(values["lease-ms"]);

/** The longest time between two events of one kind, by partition. */
class Gaps {
  #last: number[] = [];
  #longest: number[] = [];

  begin(): void {
    const now = performance.now();
    this.#last = Array(partitions).fill(now);
    this.#longest = Array(partitions).fill(0);
  }

  happened(partition: number): void {
    const now = performance.now();
    this.#longest[partition] = Math.max(this.#longest[partition]!, now - this.#last[partition]!);
    this.#last[partition] = now;
  }

  end(): number[] {
    for (let partition = 0; partition < partitions; partition++) this.happened(partition);
    return this.#longest.map(Math.round);
  }
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const acks = new Gaps();
const reads = new Gaps();
acks.begin();
reads.begin();

async function produce(client: LogClient, counts: number[], over: AbortSignal): Promise<void> {
  const producer = client.producer("t", { value: json<number>() });
  const run = async (partition: number) => {
    while (!over.aborted) {
      await producer.send({ partition, value: counts[partition]! });
      counts[partition]!++;
      acks.happened(partition);
      await later(2);
    }
  };
  await Promise.all(counts.map((_, partition) => run(partition)));
  await producer.close();
}

async function read(client: LogClient, counts: number[], over: AbortSignal): Promise<void> {
  const reader = client.reader({ topics: ["t"], value: json<number>(), signal: over });
  for await (const { partition, value } of reader) {
    if (value !== counts[partition]) throw new Error(`partition ${partition}: read ${value}, not ${counts[partition]}`);
    counts[partition]!++;
    reads.happened(partition);
  }
}

const nats = await NatsServers.start({ count: Number(values.nats) });
const servers = new Map<string, ServerProcess>();
const ports = new Map<string, number>();
for (const name of BROKERS) ports.set(name, await freePort());

async function start(name: string): Promise<void> {
  const replicas = values.nats === "1" ? "1" : "3";
  const engine = ["--engine", "jetstream", "--nats", nats.addresses.join(), "--cluster-replicas", replicas];
  const args = [...engine, "--cluster-broker", name, "--cluster-lease-ms", String(leaseMs)];
  servers.set(name, await ServerProcess.start(undefined, { port: ports.get(name)!, args }));
}

const over = new AbortController();
try {
  for (const name of BROKERS) await start(name);
  const addresses = [...ports.values()].map((port) => `127.0.0.1:${port}`);
  const client = connect(addresses, { onEvent: () => {} });
  await client.createTopic("t", { partitions });
  const written: number[] = Array(partitions).fill(0);
  const seen: number[] = Array(partitions).fill(0);
  const producing = produce(client, written, over.signal);
  const reading = read(client, seen, over.signal).catch((error) => {
    if (!over.signal.aborted) throw error;
  });
  await later(SETTLE_MS);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const how of ["nothing", "stop", "kill"] as const) {
      const name = BROKERS[(round + 1) % BROKERS.length]!;
      const { partitions: described } = await client.describeTopic("t");
      const owned = described.flatMap(({ partition, ownerAddress }) =>
        ownerAddress?.endsWith(`:${ports.get(name)}`) ? [partition] : [],
      );
      acks.begin();
      reads.begin();
      if (how !== "nothing") await servers.get(name)![how]();
      await later(how === "kill" ? 2.5 * leaseMs : SETTLE_MS);
      console.log(`${how} ${name} (owns ${owned.join()}): longest pause in ms, by partition`);
      console.log(`  acknowledged ${acks.end().join(" ")}`);
      console.log(`  read         ${reads.end().join(" ")}`);
      if (how === "nothing") continue;
      acks.begin();
      await start(name);
      await later(SETTLE_MS);
      console.log(`  and joined again: acknowledged ${acks.end().join(" ")}`);
    }
  }
  over.abort();
  await producing;
  await reading;
  await client.close();
  console.log(`acknowledged ${written.reduce((a, b) => a + b)} records, each partition in order, none lost or doubled`);
} finally {
  for (const server of servers.values()) if (server.isAlive) await server.kill();
  await nats.stop();
}
