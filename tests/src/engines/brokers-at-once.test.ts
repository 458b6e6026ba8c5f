/** Two brokers that change the same topics at the same time, or while the other one serves them. */
import { connect, type LogClient } from "@logstore/client";
import { Broker } from "@logstore/core";
import { MemoryEngine, MemoryHome, type PartitionLog } from "@logstore/core/engine";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { sealedBatch } from "../bytes.ts";
import { eventually } from "../eventually.ts";
import { followed, instead, wrapped } from "./wrapped-engine.ts";

let a: Broker;
let b: Broker;
let clientOfA: LogClient;
let clientOfB: LogClient;

let home: MemoryHome;

beforeEach(async () => {
  home = new MemoryHome();
  a = await Broker.openOn(new MemoryEngine(home, "a"));
  b = await Broker.openOn(wrapped(new MemoryEngine(home, "b"), { log: followed }));
  clientOfA = connect(a);
  clientOfB = connect(b);
  onTestFinished(async () => {
    for (const each of [clientOfA, clientOfB, a, b]) await each.close();
  });
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error) => error.code,
  );

test("a topic that two brokers create or delete at the same time is created and deleted once", async () => {
  const ids = new Set<string>();
  for (let round = 1; round <= 10; round++) {
    const created = await Promise.allSettled([a, b].map((each) => each.createTopic({ topic: "t", partitions: round })));
    const made = created.flatMap((each) => (each.status === "fulfilled" ? [each.value.topicId] : []));
    const refused = created.flatMap((each) => (each.status === "rejected" ? [each.reason.code] : []));
    expect([made.length, refused]).toEqual([1, ["TOPIC_EXISTS"]]);
    ids.add(made[0]!);
    for (const each of [a, b]) {
      expect(await each.describeTopic("t")).toMatchObject({ topicId: made[0] });
      expect(await each.listTopics()).toMatchObject([{ topicId: made[0], partitionCount: round }]);
    }
    await clientOfB.append("t", round - 1, [{ value: "x" }]);
    const deleted = await Promise.all([a, b].map((each) => codeOf(each.deleteTopic("t"))));
    for (const code of deleted) expect([undefined, "UNKNOWN_TOPIC"]).toContain(code);
    for (const each of [a, b]) expect(await codeOf(each.describeTopic("t"))).toBe("UNKNOWN_TOPIC");
  }
  expect(ids.size).toBe(10);
});

test("while one broker deletes and recreates a topic, calls to the other end with an answer for the old or the new one", async () => {
  let topicId = (await a.createTopic({ topic: "t", partitions: 1 })).topicId;
  const known = new Set([topicId]);
  const lastOffsets = new Map<string, number>();
  let isDone = false;
  const produce = async () => {
    while (!isDone) {
      const batches = sealedBatch(["x"]);
      const id = topicId;
      const ack = await b.produce({ topic: "t", topicId: id, partition: 0, batches }).catch((error) => {
        expect(["CLOSED", "UNKNOWN_TOPIC", "INCONSISTENT_TOPIC_ID"]).toContain(error.code);
      });
      if (ack) lastOffsets.set(id, ack.baseOffset);
      await new Promise(setImmediate);
    }
  };
  const commit = async () => {
    while (!isDone) {
      const [result] = await b.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 0 }] });
      if (result!.error) expect(["CLOSED", "UNKNOWN_TOPIC"]).toContain(result!.error.code);
    }
  };
  const working = [produce(), produce(), commit()];
  for (let round = 0; round < 10; round++) {
    await eventually(() => lastOffsets.has(topicId));
    await a.deleteTopic("t");
    topicId = (await a.createTopic({ topic: "t", partitions: 1 })).topicId;
    known.add(topicId);
  }
  await eventually(() => lastOffsets.has(topicId));
  isDone = true;
  await Promise.all(working);
  expect(known.size).toBe(11);
  for (const each of [a, b]) {
    expect(await each.describeTopic("t")).toMatchObject({
      topicId,
      partitions: [{ logStartOffset: 0, logEndOffset: lastOffsets.get(topicId)! + 1 }],
    });
  }
  const committed = await b.fetchOffsets("g");
  expect(committed.filter((each) => each.topicId !== topicId)).toEqual([]);
});

test("alterations by one broker are in effect in the other one while it serves", async () => {
  await a.createTopic({ topic: "t", partitions: 1 });
  await b.describeTopic("t");
  for (let round = 0; round < 5; round++) {
    await a.alterTopicConfig("t", { maxBatchBytes: 200 });
    expect(await codeOf(b.produce({ topic: "t", partition: 0, batches: sealedBatch(["x".repeat(300)]) }))).toBe(
      "BATCH_TOO_LARGE",
    );
    await b.alterTopicConfig("t", { maxBatchBytes: null, retentionMs: 1e9 + round });
    await a.produce({ topic: "t", partition: 0, batches: sealedBatch(["x".repeat(300)]) });
    expect((await a.describeTopic("t")).config).toEqual({ retentionMs: 1e9 + round });
  }
});

test("each broker keeps groups of its own, and finds them again", async () => {
  await a.createTopic({ topic: "t", partitions: 1 });
  await clientOfA.append("t", 0, [{ value: "1" }, { value: "2" }]);
  const offsetsOf = async (broker: Broker) => (await broker.fetchOffsets("g")).map(({ offset }) => offset);
  await a.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 1 }] });
  expect((await b.listGroups()).length).toBe(0);
  await b.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 2 }] });
  expect([await offsetsOf(a), await offsetsOf(b)]).toEqual([[1], [2]]);
  for (const each of [a, b]) await each.close();
  a = await Broker.openOn(new MemoryEngine(home, "a"));
  b = await Broker.openOn(wrapped(new MemoryEngine(home, "b"), { log: followed }));
  expect([await offsetsOf(a), await offsetsOf(b)]).toEqual([[1], [2]]);
  await a.deleteTopic("t");
  await eventually(async () => (await offsetsOf(b)).length === 0);
  expect(await offsetsOf(a)).toEqual([]);
});

test("a topic does not wait for the groups' log when it is deleted and created again", async () => {
  await b.close();
  let open = () => {};
  let gate: Promise<void> | undefined;
  const journalLog = (log: PartitionLog) =>
    instead(log, {
      appendBatches: async (...request) => {
        await gate;
        return log.appendBatches(...request);
      },
    });
  b = await Broker.openOn(wrapped(new MemoryEngine(home, "b"), { journalLog }));
  await a.createTopic({ topic: "t", partitions: 1 });
  const commit = (offset: number) => b.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset }] });
  await commit(0);
  gate = new Promise((resolve) => {
    open = resolve;
  });
  onTestFinished(() => open());
  await a.deleteTopic("t");
  const second = await a.createTopic({ topic: "t", partitions: 1 });
  expect((await b.describeTopic("t")).topicId).toBe(second.topicId);
  const committing = commit(0);
  await new Promise(setImmediate);
  const deleting = b.deleteTopic("t");
  let isDeleted = false;
  void deleting.then(() => {
    isDeleted = true;
  });
  const third = await b.createTopic({ topic: "t", partitions: 1, ifNotExists: true });
  expect([third.topicId === second.topicId, isDeleted]).toEqual([false, false]);
  open();
  await Promise.all([committing, deleting]);
  await clientOfA.append("t", 0, [{ value: "1" }]);
  await commit(1);
  expect(await b.fetchOffsets("g")).toMatchObject([{ offset: 1, topicId: third.topicId }]);
});
