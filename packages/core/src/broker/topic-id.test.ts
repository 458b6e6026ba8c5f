/**
 * A topic's id is assigned when the topic is created and never changes. A later topic of the same
 * name has another id.
 */
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { sealed } from "../../test/records.js";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { encodeJsonWithCrc } from "../files/checked-json.js";
import { Broker } from "../index.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

async function open(directory: string, storage?: Storage): Promise<Broker> {
  const broker = await Broker.open(directory, { storage });
  onTestFinished(() => broker.close().catch(() => {}));
  return broker;
}

const idOf = async (broker: Broker, topic = "t") => (await broker.describeTopic(topic)).topicId;

test("it is a UUID, survives changes and restarts, and is new for a recreated topic", async () => {
  const storage = new HookedStorage();
  let broker = await open("data", storage);
  const { topicId } = await broker.createTopic({ topic: "t", partitions: 1 });
  expect(topicId).toMatch(UUID);
  await broker.alterTopicConfig("t", { retentionMs: 1_000 }, { topicId });
  await broker.close();
  broker = await open("data", storage);
  expect(await broker.listTopics()).toEqual([{ topic: "t", topicId, partitionCount: 1 }]);
  await broker.deleteTopic("t", { topicId });
  const again = await broker.createTopic({ topic: "t", partitions: 1 });
  expect(again.topicId).toMatch(UUID);
  expect(again.topicId).not.toBe(topicId);
});

test("a topic.json without an id is opened without a write, and gets its id at the next change", async () => {
  const storage = new HookedStorage();
  let broker = await open("data", storage);
  await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.close();
  const [id] = (await storage.list("data/topics"))!;
  const directory = `data/topics/${id}`;
  const content = async () => new TextDecoder().decode(await readWholeFile(storage, `${directory}/topic.json`));
  await writeFileAtomically(storage, directory, "topic.json", encodeJsonWithCrc({ topic: "t", config: {} }));
  const before = await content();
  const ids: string[] = [];
  for (let i = 0; i < 2; i++) {
    broker = await open("data", storage);
    ids.push(await idOf(broker));
    if (i === 1) await broker.alterTopicConfig("t", { retentionMs: 1_000 });
    else expect(await content()).toBe(before);
    await broker.close();
  }
  expect(ids[0]).toMatch(UUID);
  expect(ids[1]).toBe(ids[0]);
  expect(await content()).toContain(`"id": "${ids[0]}"`);
});

test("a topic restored from a snapshot has a new id, even under its old name", async () => {
  const broker = await open("data", new HookedStorage());
  const { topicId } = await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.createSnapshot("t", "s");
  const copy = await broker.restoreSnapshot("t", "s", "u");
  await broker.deleteTopic("t");
  const restored = await broker.restoreSnapshot("t", "s", "t");
  expect(new Set([topicId, copy.topicId, restored.topicId]).size).toBe(3);
  const stale = broker.produce({ topic: "t", topicId, partition: 0, batches: sealed(["x"]) });
  await expect(stale).rejects.toMatchObject({ code: "INCONSISTENT_TOPIC_ID", topic: "t" });
});

test("commits count only for the topic that they were made for, not for its replacement", async () => {
  const directory = temporaryDirectory();
  const [data, copy] = [join(directory, "data"), join(directory, "copy")];
  const commitTo = async (broker: Broker, topic: string, offset: number) => {
    for (let i = 0; i < 4; i++) await broker.produce({ topic, partition: 0, batches: sealed(["x"]) });
    await broker.commitOffsets({ group: "g", offsets: [{ topic, partition: 0, offset }] });
  };
  let broker = await open(data);
  const { topicId } = await broker.createTopic({ topic: "t", partitions: 1 });
  const kept = await broker.createTopic({ topic: "kept", partitions: 1 });
  await commitTo(broker, "t", 3);
  await commitTo(broker, "kept", 2);
  await broker.close();
  cpSync(join(data, "groups"), copy, { recursive: true });
  broker = await open(data);
  await broker.deleteTopic("t");
  await broker.createTopic({ topic: "t", partitions: 1 });
  for (let i = 0; i < 9; i++) await broker.produce({ topic: "t", partition: 0, batches: sealed(["y"]) });
  await broker.close();
  // The groups directory is restored from an older copy: its commits for "t" belong to the old
  // topic.
  rmSync(join(data, "groups"), { recursive: true });
  cpSync(copy, join(data, "groups"), { recursive: true });
  broker = await open(data);
  expect(await idOf(broker)).not.toBe(topicId);
  const committed = await broker.fetchOffsets("g");
  expect(committed).toMatchObject([{ topic: "kept", topicId: kept.topicId, offset: 2 }]);
});
