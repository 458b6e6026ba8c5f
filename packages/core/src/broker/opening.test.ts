import { setImmediate as nextTurn } from "node:timers/promises";
import { LogStoreError, RecordBatchBuilder } from "@logstore/codec";
import { expect, test } from "vitest";
import { SlowStorage } from "../../test/slow-storage.js";
import { MemoryStorage } from "../storage/memory-storage.js";
import { Broker } from "./broker.js";

function batch(): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, "x", Date.now());
  return builder.seal();
}

/** A data directory with topics, and the directory of each. */
async function filled(
  topics: readonly string[],
  partitions = 1,
): Promise<{ storage: MemoryStorage; paths: Map<string, string> }> {
  const storage = new MemoryStorage();
  const broker = await Broker.open("data", { storage });
  const paths = new Map<string, string>();
  for (const topic of topics) {
    const before = (await storage.list("data/topics")) ?? [];
    await broker.createTopic({ topic, partitions });
    const made = (await storage.list("data/topics"))!.find((id) => !before.includes(id));
    paths.set(topic, `data/topics/${made}`);
    for (let partition = 0; partition < partitions; partition++) {
      await broker.produce({ topic, partition, batches: batch(), durability: "flushed" });
    }
  }
  await broker.close();
  return { storage, paths };
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof LogStoreError) return error.code;
    throw error;
  }
  return "none";
}

/** Waits until all work that is not held back is done. */
async function settled(): Promise<void> {
  for (let i = 0; i < 200; i++) await nextTurn();
}

test("many topics are opened concurrently", async () => {
  const { storage } = await filled(Array.from({ length: 20 }, (_, i) => `t${i}`));
  process.env["UV_THREADPOOL_SIZE"] = "64"; // read when the broker is opened
  try {
    const slow = new SlowStorage(storage, 64, () => false);
    await using broker = await Broker.open("data", { storage: slow.storage });
    expect(slow.mostRunning).toBeGreaterThan(10);
    expect(await broker.listTopics()).toHaveLength(20);
  } finally {
    delete process.env["UV_THREADPOOL_SIZE"];
  }
});

test("many snapshots are read concurrently", async () => {
  const { storage } = await filled(["t"]);
  const broker = await Broker.open("data", { storage });
  for (let i = 0; i < 20; i++) await broker.createSnapshot("t", `s${i}`);
  await broker.close();
  const slow = new SlowStorage(
    storage,
    64,
    (operation, path) => operation === "openFile" && path.includes("/snapshots/"),
  );
  const opening = Broker.open("data", { storage: slow.storage });
  await settled();
  const running = slow.running;
  slow.release();
  await using again = await opening;
  expect(running).toBe(20);
  expect(await again.listSnapshots("t")).toHaveLength(20);
});

test("an open topic is served while others are being opened; those and the groups are unavailable; all are listed", async () => {
  const { storage, paths } = await filled(["a", "b"]);
  const slow = new SlowStorage(
    storage,
    64,
    (operation, path) => operation === "list" && path === `${paths.get("b")}/0`,
  );
  const broker = await Broker.open("data", { storage: slow.storage, waitForTopics: false });
  try {
    await settled();
    expect(broker.progress).toEqual({ topics: 2, done: 1 });
    const ack = await broker.produce({ topic: "a", partition: 0, batches: batch(), durability: "flushed" });
    expect(ack.baseOffset).toBe(1);
    await expect(broker.describeTopic("b")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      topic: "b",
      retryAfterMs: 250,
    });
    expect(await codeOf(() => broker.describeTopic("c"))).toBe("UNKNOWN_TOPIC");
    expect(await broker.topicHealth("a")).toBe("serving");
    expect(await broker.topicHealth("b")).toBe("failed");
    expect(await broker.listTopics()).toMatchObject([
      { topic: "a", partitionCount: 1, topicId: (await broker.describeTopic("a")).topicId },
      { topic: "b", partitionCount: 1, topicId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
    for (const ofAll of [
      () => broker.listGroups(),
      () => broker.joinGroup({ group: "g", topics: ["a"] } as never),
      () => broker.deleteTopic("a"),
    ]) {
      expect(await codeOf(ofAll)).toBe("UNAVAILABLE");
    }
    const again = broker.createTopic({ topic: "b", partitions: 1, ifNotExists: true }); // waits until topic "b" is open
    slow.release();
    expect((await again).partitions[0]!.logEndOffset).toBe(1);
    await broker.opened;
    expect(await broker.listTopics()).toHaveLength(2);
    expect(await broker.listGroups()).toEqual([]);
  } finally {
    slow.release();
    await broker.close();
  }
});

test("a topic that waits to be opened exists: it is not created again", async () => {
  const names = Array.from({ length: 150 }, (_, i) => `t${i}`);
  const { storage } = await filled(names);
  const directories = await storage.list("data/topics");
  const slow = new SlowStorage(storage, 1_000, (operation, path) => operation === "list" && path.endsWith("/0"));
  const broker = await Broker.open("data", { storage: slow.storage, waitForTopics: false });
  try {
    await settled();
    expect(broker.progress).toEqual({ topics: 150, done: 0 });
    const created = names.map((topic) => [
      codeOf(() => broker.createTopic({ topic, partitions: 1 })),
      codeOf(() => broker.createTopic({ topic, partitions: 1, ifNotExists: true })),
    ]);
    await settled();
    slow.release();
    for (const [create, ensure] of created) {
      expect(await create).toBe("TOPIC_EXISTS");
      expect(["none", "UNAVAILABLE"]).toContain(await ensure);
    }
    await broker.opened;
    expect(await storage.list("data/topics")).toEqual(directories);
    for (const topic of names) expect((await broker.describeTopic(topic)).partitions[0]!.logEndOffset).toBe(1);
  } finally {
    slow.release();
    await broker.close();
  }
});

test("a broker that is closed while topics are being opened opens no more of them, and unlocks its directory", async () => {
  const { storage, paths } = await filled(["a", "b"]);
  const slow = new SlowStorage(
    storage,
    64,
    (operation, path) => operation === "list" && path === `${paths.get("b")}/0`,
  );
  const broker = await Broker.open("data", { storage: slow.storage, waitForTopics: false });
  await settled();
  const closed = broker.close();
  await settled();
  slow.release();
  await closed;
  await (await Broker.open("data", { storage })).close();
});

test("a topic on a disk that does not respond uses only its share of the threads: others are served", async () => {
  const { storage, paths } = await filled(["slow", "fast"], 8);
  let isStuck = false;
  const pool = new SlowStorage(
    storage,
    4,
    (operation, path) => isStuck && operation === "sync" && path.startsWith(paths.get("slow")!),
  );
  const broker = await Broker.open("data", { storage: pool.storage });
  try {
    isStuck = true;
    const acks = Array.from({ length: 8 }, (_, partition) =>
      broker.produce({ topic: "slow", partition, batches: batch(), durability: "flushed" }),
    );
    await settled();
    const fast = broker.produce({ topic: "fast", partition: 0, batches: batch(), durability: "flushed" });
    const first = await Promise.race([fast.then(() => "acknowledged"), settled().then(() => "waits")]);
    expect(first).toBe("acknowledged");
    pool.release();
    expect(await Promise.all(acks)).toHaveLength(8);
  } finally {
    pool.release();
    await broker.close();
  }
});
