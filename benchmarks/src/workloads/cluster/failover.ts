/**
 * How long appends pause when the broker that owns their partition stops, and when it is killed.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type LogClient } from "@logstore/client";
import { absenceBy, load } from "../../contestants/list.ts";
import type { ServerModule } from "../../contestants/served.ts";
import { ServerProcess } from "../../processes/server-process.ts";
import type { Settings } from "../../settings.ts";
import { figure, type Result } from "../../statistics/result.ts";

const TOPIC = "failover";
const LEASE_MS = 3_000;
const SEND_EVERY_MS = 5;
/** Appends go on for that long before and after. */
const STEADY_MS = 1_500;
const TIMEOUT_MS = 60_000;
const MOST_ROUNDS = 3;

const NATS = "peers/served/nats-cluster.ts";

export async function failover({ directory, rounds }: Settings): Promise<Result[]> {
  const own = join(directory, "failover");
  await mkdir(own);
  const nats = await load<ServerModule>(NATS)
    .then(({ start }) => start({ directory: own, durability: "replicated" }))
    .catch((error: unknown) => absenceBy(error, NATS));
  if ("absence" in nats) return results([], [], nats.absence);
  const brokers = new Map<string, ServerProcess>();
  const startBroker = async (name: string) => {
    const broker = await ServerProcess.startBroker({ nats: nats.address, name, leaseMs: LEASE_MS });
    brokers.set(broker.address, broker);
  };
  try {
    await startBroker("a");
    await startBroker("b");
    const pauses: Record<"handOver" | "kill", number[]> = { handOver: [], kill: [] };
    let names = 0;
    for (let round = 0; round < Math.min(rounds, MOST_ROUNDS) * 2; round++) {
      const kind = round % 2 === 0 ? "handOver" : "kill";
      pauses[kind].push(await pauseOf(brokers, kind));
      await startBroker(`next-${names++}`);
    }
    return results(pauses.handOver, pauses.kill);
  } finally {
    await Promise.all(Array.from(brokers.values(), (broker) => broker.stop()));
    await nats.stop();
  }
}

function results(handOvers: readonly number[], kills: readonly number[], absence?: string): Result[] {
  const title = (what: string) => `Cluster: pause of a partition whose owner ${what}`;
  const killed = `${title("is killed")}, lease ${LEASE_MS} ms`;
  return [
    figure({ title: title("stops"), unit: "ms", goal: { atMost: 250 } }, handOvers, absence),
    figure({ title: killed, unit: "ms", goal: { atMost: LEASE_MS + 2_000 } }, kills, absence),
  ];
}

/** The longest time between two acknowledgements, in ms, while the owner ends. */
async function pauseOf(brokers: Map<string, ServerProcess>, kind: "handOver" | "kill"): Promise<number> {
  const client = connect([...brokers.keys()]);
  const topics = await client.listTopics();
  if (topics.every(({ topic }) => topic !== TOPIC)) await client.createTopic(TOPIC, { partitions: 1 });
  const producer = client.producer(TOPIC);
  let [last, longest] = [performance.now(), 0];
  const note = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const sending = setInterval(() => void producer.send({ value: "x" }).then(note, () => {}), SEND_EVERY_MS);
  try {
    await sleep(STEADY_MS);
    const owner = await ownerOf(client);
    const broker = brokers.get(owner);
    if (broker === undefined) throw new Error(`${owner} owns the partition, and has ended`);
    brokers.delete(owner);
    longest = 0;
    const begun = performance.now();
    await Promise.all([kind === "kill" ? broker.kill() : broker.stop(), sleep(STEADY_MS)]);
    // Until it has gone on for a while.
    for (const end = begun + TIMEOUT_MS; last < begun + STEADY_MS || performance.now() - last > STEADY_MS / 3; ) {
      if (performance.now() > end) throw new Error("no broker took the partition over");
      await sleep(SEND_EVERY_MS);
    }
    return longest;
  } finally {
    clearInterval(sending);
    await client.close();
  }
}

async function ownerOf(client: LogClient): Promise<string> {
  for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await sleep(100)) {
    const [partition] = (await client.describeTopic(TOPIC)).partitions;
    if (partition?.ownerAddress !== undefined) return partition.ownerAddress;
  }
  throw new Error("the partition has no owner");
}
