/**
 * An unreadable part of a data directory affects only itself: the server starts, and serves the
 * rest.
 */
import { expect, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { lines } from "../../test/records.js";
import { Broker } from "../index.js";

async function filled() {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage });
  for (const topic of ["t", "u"]) {
    await broker.createTopic({ topic, partitions: 1 });
    await broker.topic(topic).append(null, topic);
    await broker.createSnapshot(topic, "s");
  }
  await broker.close();
  let directory = "";
  for (const id of (await storage.list("data/topics"))!) {
    const names = await storage.openFile(`data/topics/${id}/topic.json`, "read");
    const content = Buffer.alloc(await names.size());
    await names.read(content, 0);
    await names.close();
    if (content.includes('"topic": "t"')) directory = `data/topics/${id}`;
  }
  return { storage, directory };
}

const failing = (code: string) => Object.assign(new Error(`${code}: it is refused`), { code });

test.each(["EACCES", "EIO", "EPERM", "ELOOP"])("an unreadable topic.json (%s) affects only its topic", async (code) => {
  const { storage, directory } = await filled();
  storage.before = ({ kind, path }) => {
    if (kind === "openFile" && path === `${directory}/topic.json`) throw failing(code);
  };
  const broker = await Broker.open("data", { storage });
  expect(broker.recovery.unreadable).toMatchObject([
    { directory, topic: undefined, error: { code: "STORAGE_FAILED" } },
  ]);
  expect(await lines(broker.topic("u"))).toEqual(["0 u"]);
  await broker.close();
});

test("files that cannot be opened affect only their topic, whose health is failed", async () => {
  const { storage, directory } = await filled();
  storage.before = ({ kind, path }) => {
    if (kind === "openFile" && path === `${directory}/store.json`) throw failing("EACCES");
  };
  const broker = await Broker.open("data", { storage });
  expect(broker.recovery.unreadable).toMatchObject([{ directory, topic: "t", error: { code: "STORAGE_FAILED" } }]);
  expect(await broker.topicHealth("t")).toBe("failed");
  expect(await broker.topicHealth("u")).toBe("serving");
  expect(await broker.listTopics()).toMatchObject([
    { topic: "t", partitionCount: 0, damage: { code: "STORAGE_FAILED" } },
    { topic: "u", partitionCount: 1 },
  ]);
  // Its name stays taken.
  await expect(broker.createTopic({ topic: "t", partitions: 1 })).rejects.toMatchObject({ code: "TOPIC_EXISTS" });
  await expect(broker.createTopic({ topic: "t", partitions: 1, ifNotExists: true })).rejects.toMatchObject({
    code: "STORAGE_FAILED",
  });
  await broker.close();
});

test("a topic's directory without a topic.json is reported, and not modified", async () => {
  const { storage, directory } = await filled();
  await storage.remove(`${directory}/topic.json`);
  const broker = await Broker.open("data", { storage });
  expect(broker.recovery.unreadable).toMatchObject([{ directory, error: { code: "NOT_A_LOG_STORE" } }]);
  expect(await storage.list(directory)).toContain("store.json");
  await broker.close();
});

test.each(["data/snapshots", "data/snapshots/t"])("an unreadable directory of snapshots: %s", async (path) => {
  const { storage } = await filled();
  storage.before = ({ kind, path: at }) => {
    if (kind === "list" && at === path) throw failing("EIO");
  };
  const broker = await Broker.open("data", { storage });
  expect(broker.recovery.unreadableSnapshots).toMatchObject([{ directory: path, error: { code: "STORAGE_FAILED" } }]);
  expect(await lines(broker.topic("t"))).toEqual(["0 t"]);
  if (path.endsWith("t")) {
    const damage = { code: "STORAGE_FAILED" };
    expect(await broker.listSnapshots()).toMatchObject([{ topic: "t", snapshot: "", damage }, { topic: "u" }]);
  }
  await broker.close();
});
