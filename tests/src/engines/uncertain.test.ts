/**
 * On an engine that loses answers, acknowledged records are in the log once and in order, and
 * groups lose nothing. SEED replays a run.
 */
import { connect, text } from "@logstore/client";
import { UnavailableError } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { MemoryEngine, MemoryHome } from "@logstore/core/engine";
import { expect, onTestFinished, test } from "vitest";
import { sealedBatch, seededRandom } from "../bytes.ts";
import { eventually } from "../eventually.ts";
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

/** Repeats a call until its outcome is known. */
async function untilKnown<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      expect(error).toMatchObject({ code: "UNAVAILABLE" });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

test(`records of producers and appends: once, in order, where their acknowledgements say (SEED=${SEED})`, async () => {
  const { client, lost } = await open(SEED);
  await untilKnown(() => client.ensureTopic("t", { partitions: 3 }));
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
    return untilKnown(async () => {
      const results = await broker.commitOffsets({ group, offsets });
      if (results.some(({ error }) => error?.code === "UNAVAILABLE")) throw new UnavailableError("try again");
      return results;
    });
  };
  // 13 MB of commits: several snapshots, and deletions of what they replace.
  for (let offset = 1; offset <= 30; offset++) {
    for (const { error } of await commitAll("g", offset)) expect(error).toBeUndefined();
  }
  const consumer = client.consumer({ group: "members", topics: ["t"], commit: "manual" });
  for await (const _ of consumer) break;
  await untilKnown(() => client.resetOffsets("g", { partitions: [{ topic: "t", partition: 7 }], to: 3 }));
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

test(`topics are what the answers say, for both brokers and in the end (SEED=${SEED})`, async () => {
  const home = new MemoryHome();
  const [one, other] = [await open(SEED + 4, home), await open(SEED + 5, home)];
  const random = seededRandom(SEED + 6);
  const anyBroker = () => (random() < 0.5 ? one : other).broker;
  const codeOf = (call: () => Promise<unknown>) =>
    untilKnown(() =>
      call().then(
        () => "",
        (error) => {
          if (error.code === "UNAVAILABLE") throw error;
          return error.code as string;
        },
      ),
    );
  const isLost = () => [one, other].every(({ lost }) => lost.before > 10 && lost.after > 10);
  const ids = new Set<string>();
  const live = async (topic: string) => {
    for (let round = 0; round < 4 || !isLost(); round++) {
      const request = { topic, partitions: 2, ifNotExists: true };
      const { topicId } = await untilKnown(() => anyBroker().createTopic(request));
      expect(ids.has(topicId)).toBe(false);
      ids.add(topicId);
      const config = { retentionMs: 1e9 + round };
      await untilKnown(() => anyBroker().alterTopicConfig(topic, config));
      for (const { broker } of [one, other]) {
        expect(await untilKnown(() => broker.describeTopic(topic))).toMatchObject({ topicId, config });
        const offsets = [{ topic, partition: 0, offset: 0 }];
        const commit = async () => {
          const [result] = await broker.commitOffsets({ group: topic, offsets });
          if (result!.error?.code === "UNAVAILABLE") throw new UnavailableError("try again");
          return result!.error;
        };
        expect(await untilKnown(commit)).toBeUndefined();
      }
      if (round === 3 && isLost()) break;
      expect(["", "UNKNOWN_TOPIC"]).toContain(await codeOf(() => anyBroker().deleteTopic(topic, { topicId })));
      for (const { broker } of [one, other]) {
        await eventually(async () => (await codeOf(() => broker.describeTopic(topic))) === "UNKNOWN_TOPIC");
        await eventually(async () => (await broker.fetchOffsets(topic)).length === 0);
      }
    }
    return topic;
  };
  const topics = await Promise.all(["a", "b", "c"].map(live));
  const certain = await Broker.openOn(new MemoryEngine(home));
  onTestFinished(() => certain.close());
  const left = await certain.listTopics();
  expect(left.map(({ topic }) => topic).filter((topic) => !topics.includes(topic))).toEqual([]);
  for (const { broker } of [one, other]) {
    for (const { topic } of left) await untilKnown(() => broker.describeTopic(topic));
    expect(await broker.listTopics()).toEqual(left);
  }
});
