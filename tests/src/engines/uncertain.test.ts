/**
 * On an engine that loses answers, acknowledged records are in the log once and in order, and
 * groups lose nothing. SEED replays a run.
 */
import { connect, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { MemoryEngine, MemoryHome } from "@logstore/core/engine";
import { expect, onTestFinished, test } from "vitest";
import { sealedBatch, seededRandom } from "../bytes.ts";
import { Uncertainty } from "./uncertain-engine.ts";

const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Records of each writer. A client pauses 100 ms and more before it sends a record again. */
const COUNT = 8;

async function open(seed: number, home = new MemoryHome()) {
  const uncertainty = new Uncertainty(seededRandom(seed));
  const broker = await Broker.openOn(uncertainty.engine(new MemoryEngine(home)));
  const client = connect(broker);
  onTestFinished(async () => {
    await client.close();
    await broker.close();
  });
  return { home, broker, client, lost: uncertainty.lost };
}

test(`records of producers and appends: once, in order, where their acknowledgements say (SEED=${SEED})`, async () => {
  const { client, lost } = await open(SEED);
  await client.createTopic("t", { partitions: 3 });
  const sent: string[][] = [[], [], []];
  const acknowledged = new Map<string, string>();
  const produce = async (name: string, partition: number) => {
    const producer = client.producer("t", { batchBytes: 300, value: text() });
    const acks = [];
    for (let i = 0; i < COUNT; i++) {
      const value = `${name}.${i}`;
      acks.push(
        producer.send({ value, partition }).then(({ offset }) => acknowledged.set(value, `${partition}/${offset}`)),
      );
      if (i % 6 === 0) await producer.flush();
    }
    await Promise.all(acks);
    sent[partition]!.push(name);
  };
  const append = async (name: string, partition: number) => {
    for (let i = 0; i < COUNT; i++) {
      const value = `${name}.${i}`;
      const { offset } = await client.append("t", partition, [{ value }]);
      acknowledged.set(value, `${partition}/${offset}`);
    }
    sent[partition]!.push(name);
  };
  await Promise.all([produce("a", 0), produce("b", 0), produce("c", 1), append("d", 1), append("e", 2)]);

  const found = new Map<string, string>();
  const order = new Map<string, number[]>();
  const reader = client.reader({ topics: ["t"], from: "earliest", until: "latest", value: text() });
  for await (const { value, partition, offset } of reader) {
    expect(found.has(value), value).toBe(false);
    found.set(value, `${partition}/${offset}`);
    const [name, i] = value.split(".") as [string, string];
    order.set(name, [...(order.get(name) ?? []), Number(i)]);
  }
  expect(found).toEqual(acknowledged);
  expect([...order.keys()].sort()).toEqual(["a", "b", "c", "d", "e"]);
  for (const numbers of order.values()) expect(numbers).toEqual(Array.from({ length: COUNT }, (_, i) => i));
  expect(lost.before + lost.after).toBeGreaterThan(0);
});

test(`commits, a snapshot and members of groups survive, and are found by the next broker (SEED=${SEED})`, async () => {
  const home = new MemoryHome();
  const partitions = 150;
  const other = await Broker.openOn(new MemoryEngine(home, "other"));
  onTestFinished(() => other.close());
  await other.createTopic({ topic: "t", partitions });
  for (let partition = 0; partition < partitions; partition++) {
    await other.produce({ topic: "t", partition, batches: sealedBatch(Array.from({ length: 30 }, (_, i) => `${i}`)) });
  }
  const { broker, client, lost } = await open(SEED + 1, home);
  const metadata = "m".repeat(3_000);
  const commitAll = (group: string, offset: number) => {
    const offsets = Array.from({ length: partitions }, (_, partition) => ({ topic: "t", partition, offset, metadata }));
    return broker.commitOffsets({ group, offsets });
  };
  // 13 MB of commits: several snapshots, and deletions of what they replace.
  for (let offset = 1; offset <= 30; offset++) {
    for (const { error } of await commitAll("g", offset)) expect(error).toBeUndefined();
  }
  const consumer = client.consumer({ group: "members", topics: ["t"], commit: "manual" });
  for await (const _ of consumer) break;
  await client.resetOffsets("g", { partitions: [{ topic: "t", partition: 7 }], to: 3 });
  expect(lost.before + lost.after).toBeGreaterThan(0);
  await client.close();
  await broker.close();

  const next = await Broker.openOn(new MemoryEngine(home));
  onTestFinished(() => next.close());
  const committed = await next.fetchOffsets("g");
  expect(committed.map(({ offset }) => offset)).toEqual(
    Array.from({ length: partitions }, (_, i) => (i === 7 ? 3 : 30)),
  );
  expect((await next.listGroups()).map(({ group }) => group)).toContain("members");
});

test(`producer ids are given out once (SEED=${SEED})`, async () => {
  const home = new MemoryHome();
  const brokers = [await open(SEED + 2, home), await open(SEED + 3, home)];
  const ids: number[] = [];
  const isLost = () => brokers.some(({ lost }) => lost.before + lost.after > 0);
  await Promise.all(
    brokers.map(async ({ broker }) => {
      while (ids.length < 2_500 || !isLost()) {
        const id = await broker.allocateProducerId().catch((error: unknown) => {
          expect(error).toMatchObject({ code: "UNAVAILABLE" });
        });
        if (id !== undefined) ids.push(id);
      }
    }),
  );
  expect(new Set(ids).size).toBe(ids.length);
});
