/** Deletions and creations of topics whose answer is lost, on a catalogue that brokers share. */

import { UnavailableError } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { MemoryEngine, MemoryHome, type SharedCatalogue, TopicUnsettledError } from "@logstore/core/engine";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { sealedBatch } from "../bytes.ts";
import { eventually } from "../eventually.ts";
import { instead, wrapped } from "./wrapped-engine.ts";

type Lost = "before" | "after";

let home: MemoryHome;
let broker: Broker;
/** Calls whose next answer is lost, before or after they take effect. */
let lost: { delete?: Lost; create?: Lost; lookUp?: Lost; open?: Lost };
/** The same from the next deletion on. */
let afterDelete: typeof lost;

async function call<T>(name: keyof typeof lost, work: () => Promise<T>): Promise<T> {
  const fate = lost[name];
  delete lost[name];
  const unknown = new UnavailableError(`${name}: not known yet`, { retryAfterMs: 1 });
  if (fate === "before") throw unknown;
  const result = await work();
  if (fate === "after") throw unknown;
  return result;
}

beforeEach(async () => {
  home = new MemoryHome();
  lost = {};
  afterDelete = {};
  const engine = wrapped(new MemoryEngine(home), {
    catalogue: (catalogue) => {
      const shared = catalogue.shared as SharedCatalogue;
      return instead(catalogue, {
        shared: instead(shared, { lookUp: (topic) => call("lookUp", () => shared.lookUp(topic)) }),
        open: (found) => call("open", () => catalogue.open(found)),
        delete: async (topic) => {
          try {
            await call("delete", () => catalogue.delete(topic));
          } finally {
            lost = afterDelete;
            afterDelete = {};
          }
        },
        create: async (...request) => {
          try {
            return await call("create", () => catalogue.create(...request));
          } catch (error) {
            throw new TopicUnsettledError("there", error as UnavailableError);
          }
        },
      });
    },
  });
  broker = await Broker.openOn(engine, { topicLimits: { maxTopics: 1, maxPartitions: 2 } });
  onTestFinished(() => broker.close());
});

async function withCommit(): Promise<string> {
  const { topicId } = await broker.createTopic({ topic: "t", partitions: 2 });
  await broker.produce({ topic: "t", partition: 0, batches: sealedBatch(["a"]) });
  await broker.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 1 }] });
  return topicId;
}

/**
 * The topic is gone with its commits, and no longer counts: its name and its partitions are free.
 */
async function checkGone(topicId: string): Promise<void> {
  expect(await broker.listTopics()).toEqual([]);
  expect(await broker.fetchOffsets("g")).toEqual([]);
  const next = await broker.createTopic({ topic: "t", partitions: 2 });
  expect(next.topicId).not.toBe(topicId);
  expect(next.partitions.map(({ logEndOffset }) => logEndOffset)).toEqual([0, 0]);
}

/** The topic is served, with its record and commit, and counts once. */
async function checkThere(topicId: string): Promise<void> {
  expect(await broker.describeTopic("t")).toMatchObject({ topicId, partitions: [{ logEndOffset: 1 }, {}] });
  expect(await broker.listTopics()).toEqual([{ topic: "t", topicId, partitionCount: 2 }]);
  expect(await broker.fetchOffsets("g")).toMatchObject([{ offset: 1 }]);
  await broker.deleteTopic("t");
  await checkGone(topicId);
}

test("a deletion that took effect without an answer is one", async () => {
  const topicId = await withCommit();
  lost = { delete: "after" };
  await broker.deleteTopic("t");
  await checkGone(topicId);
});

test("after a deletion that did not take effect, the topic is served", async () => {
  const topicId = await withCommit();
  lost = { delete: "before" };
  await expect(broker.deleteTopic("t")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await checkThere(topicId);
});

for (const fate of ["before", "after"] as const) {
  test(`a deletion of which nothing can be learned is unavailable, and settled later (lost ${fate})`, async () => {
    const topicId = await withCommit();
    lost = { delete: fate };
    afterDelete = { lookUp: "before" };
    await expect(broker.deleteTopic("t")).rejects.toMatchObject({ code: "UNAVAILABLE" });
    if (fate === "before") return checkThere(topicId);
    await eventually(async () => (await broker.fetchOffsets("g")).length === 0);
    await checkGone(topicId);
  });

  test(`a creation without an answer is settled later (lost ${fate})`, async () => {
    lost = { create: fate };
    const request = { topic: "t", partitions: 2, ifNotExists: true };
    await expect(broker.createTopic(request)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const { topicId } = await broker.createTopic(request);
    expect(await broker.listTopics()).toEqual([{ topic: "t", topicId, partitionCount: 2 }]);
    await broker.deleteTopic("t");
    await checkGone(topicId);
  });
}

test("a topic that could not be opened after its deletion failed is opened by the next call for it", async () => {
  const topicId = await withCommit();
  lost = { delete: "before" };
  afterDelete = { open: "before" };
  await expect(broker.deleteTopic("t")).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await checkThere(topicId);
});
