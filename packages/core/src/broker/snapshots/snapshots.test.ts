/**
 * A snapshot contains exactly the records of a topic at one point in time. It does not change with
 * the topic, and can be restored as a new topic.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Call, failAt, HookedStorage } from "../../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, collect, lines, range, sealed, text } from "../../../test/records.js";
import { everyFile, temporaryDirectory } from "../../../test/temporary-directory.js";
import { Broker, type BrokerOptions, LogStore, type ReadOnlyLogStore } from "../../index.js";
import { NodeStorage } from "../../storage/node-storage.js";

/** A segment holds two batches of one record. */
const segmentBytes = 200;

async function opened(options: BrokerOptions = {}, storage = new HookedStorage()) {
  const broker = await Broker.open("data", { storage, segmentBytes, ...options });
  onTestFinished(() => broker.close().catch(() => {}));
  return { storage, broker };
}

/** A broker with a topic "t" of three partitions, which have four segments, one and none. */
async function filled(options: BrokerOptions = {}, storage?: HookedStorage) {
  const opening = await opened(options, storage);
  await opening.broker.createTopic({ topic: "t", partitions: 3 });
  await appendOneByOne(opening.broker.topic("t"), range(7), 0);
  await appendOneByOne(opening.broker.topic("t"), range(1, "w"), 1);
  return opening;
}

async function openedIn(directory: string): Promise<Broker> {
  const broker = await Broker.open(directory, { segmentBytes });
  onTestFinished(() => broker.close().catch(() => {}));
  return broker;
}

/** The same, in a directory of the file system. */
async function filledIn(directory: string): Promise<Broker> {
  const broker = await openedIn(directory);
  await broker.createTopic({ topic: "t", partitions: 1 });
  await appendOneByOne(broker.topic("t"), range(7));
  return broker;
}

const numbered = (all: readonly string[], from = 0) => all.map((value, i) => `${from + i} ${value}`);

async function checkFilled(store: LogStore): Promise<void> {
  expect(await lines(store, 0)).toEqual(numbered(range(7)));
  expect(await lines(store, 1)).toEqual(["0 w0"]);
  expect(await lines(store, 2)).toEqual([]);
}

async function linesIn(store: ReadOnlyLogStore, partition = 0): Promise<string[]> {
  return (await collect(store.read(partition))).map(({ offset, value }) => `${offset} ${text(value)}`);
}

/** Returns the records in a snapshot's directory, which is itself a log store. */
async function linesOf(directory: string, storage = new NodeStorage() as HookedStorage | NodeStorage, partition = 0) {
  const store = await LogStore.openReadOnly(directory, { storage });
  try {
    return await linesIn(store, partition);
  } finally {
    await store.close();
  }
}

test("a snapshot contains and describes the records of its time, and no later ones", async () => {
  const { broker, storage } = await filled();
  storage.time = 1234;
  await broker.deleteRecords("t", 0, 3);
  const made = await broker.createSnapshot("t", "monday");
  await appendOneByOne(broker.topic("t"), ["late"], 0);
  await appendOneByOne(broker.topic("t"), ["first"], 2);
  expect(made).toEqual({
    topic: "t",
    snapshot: "monday",
    createdAt: 1234,
    partitions: [
      { partition: 0, logStartOffset: 3, logEndOffset: 7 },
      { partition: 1, logStartOffset: 0, logEndOffset: 1 },
      { partition: 2, logStartOffset: 0, logEndOffset: 0 },
    ],
    sizeBytes: expect.any(Number),
  });
  const directory = "data/snapshots/t/monday";
  expect(await linesOf(directory, storage)).toEqual(numbered(range(7).slice(3), 3));
  expect(await linesOf(directory, storage, 1)).toEqual(["0 w0"]);
  expect(await linesOf(directory, storage, 2)).toEqual([]);
  expect(await broker.listSnapshots()).toEqual([made]);
  let sizeBytes = 0;
  for (const partition of [0, 1]) {
    for (const name of (await storage.list(`${directory}/${partition}`))!.filter((each) => each.endsWith(".log"))) {
      sizeBytes += await (await storage.openFile(`${directory}/${partition}/${name}`, "read")).size();
    }
  }
  expect(made.sizeBytes).toBe(sizeBytes);
});

test("snapshots are listed by topic and name, including those of deleted topics, and deleted one at a time", async () => {
  const { broker, storage } = await filled();
  await broker.createTopic({ topic: "a", partitions: 1 });
  for (const [topic, snapshot] of [
    ["t", "2"],
    ["a", "z"],
    ["t", "1"],
  ] as const)
    await broker.createSnapshot(topic, snapshot);
  await broker.deleteTopic("t");
  const names = async (topic?: string) =>
    (await broker.listSnapshots(topic)).map((each) => `${each.topic}/${each.snapshot}`);
  expect(await names()).toEqual(["a/z", "t/1", "t/2"]);
  expect(await names("t")).toEqual(["t/1", "t/2"]);
  expect(await names("nobody")).toEqual([]);
  await broker.deleteSnapshot("t", "1");
  expect(await names()).toEqual(["a/z", "t/2"]);
  expect(await codeOf(broker.deleteSnapshot("t", "1"))).toBe("UNKNOWN_SNAPSHOT");
  await broker.deleteSnapshot("t", "2");
  expect(await storage.list("data/snapshots/t")).toEqual([]);
  await broker.close();
  const { broker: again } = await opened({}, storage);
  expect((await again.listSnapshots()).map(({ snapshot }) => snapshot)).toEqual(["z"]);
});

test("a restored topic has its records at their offsets and its configuration, and accepts appends", async () => {
  const { broker, storage } = await filled();
  await broker.alterTopicConfig("t", { segmentBytes: 300, retentionBytes: 1_000_000 });
  await broker.deleteRecords("t", 0, 3);
  await broker.createSnapshot("t", "s");
  await broker.deleteTopic("t");
  for (const topic of ["t", "copy"]) {
    const restored = await broker.restoreSnapshot("t", "s", topic);
    expect(restored).toMatchObject({ topic, config: { segmentBytes: 300, retentionBytes: 1_000_000 } });
    expect(restored.partitions.map(({ logStartOffset, logEndOffset }) => [logStartOffset, logEndOffset])).toEqual([
      [3, 7],
      [0, 1],
      [0, 0],
    ]);
    for (const partition of [0, 2]) await appendOneByOne(broker.topic(topic), ["on"], partition);
    expect(await lines(broker.topic(topic))).toEqual([...numbered(range(7).slice(3), 3), "7 on"]);
    expect(await lines(broker.topic(topic), 2)).toEqual(["0 on"]);
  }
  expect(await linesOf("data/snapshots/t/s", storage)).toEqual(numbered(range(7).slice(3), 3));
  await broker.close();
  const { broker: again } = await opened({}, storage);
  expect(again.recovery).toEqual({ partitions: [], unreadable: [], unreadableSnapshots: [] });
  for (const topic of ["t", "copy"]) expect(await lines(again.topic(topic), 1)).toEqual(["0 w0"]);
});

test("a restored topic is an independent store", async () => {
  const { broker, storage } = await filled();
  await broker.createSnapshot("t", "s");
  await broker.restoreSnapshot("t", "s", "u");
  const ids = new Set<string>();
  for (const id of (await storage.list("data/topics"))!) {
    const file = await storage.openFile(`data/topics/${id}/store.json`, "read");
    const content = Buffer.alloc(await file.size());
    await file.read(content, 0);
    ids.add(JSON.parse(content.toString()).id);
  }
  expect(ids.size).toBe(2);
});

test("after a restore, a batch of the snapshot is a duplicate, and a later one is not", async () => {
  const { broker } = await opened();
  await broker.createTopic({ topic: "t", partitions: 1 });
  const send = (topic: string, i: number) =>
    broker.produce({
      topic,
      partition: 0,
      batches: sealed([`v${i}`], { producerId: 7, producerEpoch: 0, baseSequence: i }),
    });
  for (let i = 0; i < 4; i++) await send("t", i);
  await broker.createSnapshot("t", "s");
  for (let i = 4; i < 6; i++) await send("t", i);
  await broker.restoreSnapshot("t", "s", "u");
  for (const i of [2, 3]) expect(await send("u", i)).toMatchObject({ duplicate: true, baseOffset: i });
  expect(await send("u", 4)).toMatchObject({ duplicate: false, baseOffset: 4 });
  expect(await lines(broker.topic("u"))).toEqual(numbered(range(5)));
});

test("a snapshot has one point in time for all partitions, however fast they are written", async () => {
  const { broker, storage } = await opened({ segmentBytes: 2000 });
  await broker.createTopic({ topic: "t", partitions: 4 });
  const store = broker.topic("t");
  let isDone = false;
  let round = 0;
  // Each round appends to one partition after another, so that their record counts never differ by
  // more than one.
  const writing = (async () => {
    for (; !isDone; round++) {
      for (let partition = 0; partition < 4; partition++) {
        await store.append(null, `v${round}`, { partition, durability: round % 3 === 0 ? "flushed" : "written" });
      }
      await nextTurn(); // appends in memory wait only for promises, and would let nothing else run
    }
  })();
  for (let i = 0; i < 20; i++) {
    const before = round;
    const { partitions } = await broker.createSnapshot("t", `s${i}`);
    const ends = partitions.map(({ logEndOffset }) => logEndOffset);
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThanOrEqual(1);
    expect(ends).toEqual([...ends].sort((a, b) => b - a));
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(before);
    for (const [partition, end] of ends.entries()) {
      expect(await linesOf(`data/snapshots/t/s${i}`, storage, partition)).toEqual(numbered(range(end)));
    }
  }
  isDone = true;
  await writing;
  await broker.restoreSnapshot("t", "s19", "u");
  expect((await broker.describeTopic("u")).partitions.map(({ logEndOffset }) => logEndOffset)).toEqual(
    (await broker.listSnapshots())
      .find(({ snapshot }) => snapshot === "s19")!
      .partitions.map((each) => each.logEndOffset),
  );
});

test("appends and deletions continue during a snapshot, which contains the records deleted meanwhile", async () => {
  const { broker, storage } = await filled();
  const at = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  storage.before = async ({ kind, path }: Call) => {
    if (kind !== "link" || !path.endsWith("00000000000000000000.log")) return;
    at.resolve();
    await go.promise;
  };
  const making = broker.createSnapshot("t", "s");
  await at.promise;
  await appendOneByOne(broker.topic("t"), range(5, "x"), 0);
  await broker.deleteRecords("t", 0, 9);
  const live = async () => (await storage.list(`data/topics/${(await storage.list("data/topics"))![0]}/0`))!;
  expect(await live()).toContain("00000000000000000000.log"); // the snapshot in progress keeps the file
  go.resolve();
  await making;
  await checkFilledSnapshot(storage);
  expect(await lines(broker.topic("t"))).toEqual(numbered(range(5, "x").slice(2), 9));
  expect((await live()).filter((name) => name.endsWith(".log")).sort()[0]).toBe("00000000000000000008.log");
});

/**
 * Creates the snapshot "s", and calls `work` while the snapshot has finished partitions 0 and 2 and
 * waits for partition 1.
 */
async function snapshotMeanwhile(
  { broker, storage }: Awaited<ReturnType<typeof filled>>,
  work: () => Promise<unknown>,
) {
  const at = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  storage.before = async ({ kind, path }: Call) => {
    if (kind !== "sync" || !/^data\/topics\/\w+\/1\//.test(path)) return;
    at.resolve();
    await go.promise;
  };
  const slow = broker.topic("t").append(null, "slow", { partition: 1 });
  await at.promise;
  const making = broker.createSnapshot("t", "s");
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  await work();
  go.resolve();
  await slow;
  await making;
  expect(await linesOf("data/snapshots/t/s", storage, 1)).toEqual(["0 w0", "1 slow"]);
}

test("records deleted before the point in time are not in the snapshot", async () => {
  const opening = await filled();
  const { broker, storage } = opening;
  await snapshotMeanwhile(opening, async () => {
    await appendOneByOne(broker.topic("t"), range(5, "x"), 0);
    await appendOneByOne(broker.topic("t"), range(5, "y"), 2);
    await broker.deleteRecords("t", 0, 9);
    await broker.deleteRecords("t", 2, 3);
  });
  expect(await linesOf("data/snapshots/t/s", storage, 0)).toEqual(["9 x2", "10 x3", "11 x4"]);
  expect(await linesOf("data/snapshots/t/s", storage, 2)).toEqual(["3 y3", "4 y4"]);
});

test("batches appended just before the point in time are duplicates after a restore, over several segments", async () => {
  const opening = await filled();
  const { broker } = opening;
  const send = (topic: string, i: number) => {
    const batches = sealed([`x${i}`], { producerId: 7, producerEpoch: 0, baseSequence: i });
    return broker.produce({ topic, partition: 0, batches });
  };
  await send("t", 0);
  await snapshotMeanwhile(opening, async () => {
    for (let i = 1; i < 6; i++) await send("t", i);
  });
  await broker.restoreSnapshot("t", "s", "u");
  for (let i = 1; i < 6; i++) expect(await send("u", i)).toMatchObject({ duplicate: true, baseOffset: 7 + i });
  expect(await send("u", 6)).toMatchObject({ duplicate: false, baseOffset: 13 });
});

test("records that are not acknowledged yet are not in the snapshot", async () => {
  const { broker, storage } = await filled();
  const gates = [0, 1].map(() => ({ at: Promise.withResolvers<void>(), go: Promise.withResolvers<void>() }));
  storage.before = async ({ kind, path }: Call) => {
    const partition = /^data\/topics\/\w+\/([01])\/.*\.log$/.exec(path)?.[1];
    if (kind !== "sync" || partition === undefined) return;
    gates[Number(partition)]!.at.resolve();
    await gates[Number(partition)]!.go.promise;
  };
  const append = (partition: number) => broker.topic("t").append(null, "new", { partition });
  const first = append(1);
  await gates[1]!.at.promise;
  const making = broker.createSnapshot("t", "s"); // the snapshot waits for partition 1
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  const second = append(0);
  await gates[0]!.at.promise; // written, but not synced
  gates[1]!.go.resolve();
  await first;
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  gates[0]!.go.resolve(); // finished segments are made durable in the background, after the commit in progress
  await Promise.all([making, second]);
  expect(await linesOf("data/snapshots/t/s", storage)).toEqual(numbered(range(7)));
  expect(await linesOf("data/snapshots/t/s", storage, 1)).toEqual(["0 w0", "1 new"]);
});

async function checkFilledSnapshot(storage: HookedStorage): Promise<void> {
  expect(await linesOf("data/snapshots/t/s", storage)).toEqual(numbered(range(7)));
  expect(await linesOf("data/snapshots/t/s", storage, 1)).toEqual(["0 w0"]);
}

test("verifying a snapshot in place reports its damage", async () => {
  const directory = temporaryDirectory();
  const broker = await filledIn(directory);
  await broker.createSnapshot("t", "s");
  const snapshot = join(directory, "snapshots", "t", "s");
  const findings = async () => {
    const store = await LogStore.openReadOnly(snapshot);
    const events = await Array.fromAsync(store.verify());
    await store.close();
    return events.filter(({ type }) => type === "finding");
  };
  expect(await findings()).toEqual([]);
  expect(await codeOf(LogStore.open(snapshot))).toBe("NOT_A_LOG_STORE"); // a snapshot must not be opened for writing
  const path = join(snapshot, "0", "00000000000000000006.log");
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  expect(await findings()).toMatchObject([{ kind: "damage", file: "0/00000000000000000006.log", offset: 6 }]);
  rmSync(path);
  expect(await findings()).toMatchObject([{ kind: "damage", offset: 6 }]);
});

test("finished segments are hard links, the active one is a copy", async () => {
  const directory = temporaryDirectory();
  const broker = await filledIn(directory);
  await broker.createSnapshot("t", "s");
  const [topic] = readdirSync(join(directory, "topics"));
  const inodes = (path: string) =>
    readdirSync(path)
      .filter((name) => name.endsWith(".log"))
      .sort()
      .map((name) => statSync(join(path, name)).ino);
  const live = inodes(join(directory, "topics", topic!, "0"));
  const linked = inodes(join(directory, "snapshots", "t", "s", "0"));
  expect(linked).toHaveLength(4);
  expect(linked.slice(0, -1)).toEqual(live.slice(0, -1));
  expect(linked.at(-1)).not.toBe(live.at(-1));
  await broker.restoreSnapshot("t", "s", "u");
  const [other] = readdirSync(join(directory, "topics")).filter((id) => id !== topic);
  const restored = inodes(join(directory, "topics", other!, "0"));
  expect(restored.slice(0, -1)).toEqual(live.slice(0, -1));
  expect(linked).not.toContain(restored.at(-1));
  const before = everyFile(join(directory, "snapshots"));
  for (const each of ["t", "u"]) await appendOneByOne(broker.topic(each), range(6, "x"));
  await broker.close();
  expect(everyFile(join(directory, "snapshots"))).toEqual(before);
});

test.each(["EXDEV", "EPERM", "EMLINK", "ENOTSUP"])("if links are not possible (%s), files are copied", async (code) => {
  const storage = new HookedStorage();
  const { broker } = await filled({}, storage);
  storage.before = ({ kind }) => {
    if (kind === "link") throw Object.assign(new Error(code), { code });
  };
  await broker.createSnapshot("t", "s");
  await checkFilledSnapshot(storage);
  await broker.restoreSnapshot("t", "s", "u");
  await checkFilled(broker.topic("u"));
});

test("failed calls have specific errors, and change nothing", async () => {
  const { broker, storage } = await filled();
  await broker.createSnapshot("t", "s");
  await broker.createTopic({ topic: "u", partitions: 1 });
  const calls = [
    [() => broker.createSnapshot("nobody", "s"), { code: "UNKNOWN_TOPIC", topic: "nobody" }],
    [() => broker.createSnapshot("t", "s"), { code: "SNAPSHOT_EXISTS", topic: "t" }],
    [() => broker.deleteSnapshot("t", "none"), { code: "UNKNOWN_SNAPSHOT", topic: "t" }],
    [() => broker.restoreSnapshot("t", "none", "v"), { code: "UNKNOWN_SNAPSHOT", topic: "t" }],
    [() => broker.restoreSnapshot("t", "s", "u"), { code: "TOPIC_EXISTS", topic: "u" }],
  ] as const;
  for (const [call, error] of calls) expect(await caught(call())).toMatchObject(error);
  for (const name of ["", ".", "..", "../t", "a/b", "~0123456789abcdef", "x".repeat(250)]) {
    for (const call of [
      () => broker.createSnapshot("t", name),
      () => broker.deleteSnapshot("t", name),
      () => broker.deleteSnapshot(name, "s"),
      () => broker.restoreSnapshot("t", name, "v"),
      () => broker.restoreSnapshot(name, "s", "v"),
      () => broker.restoreSnapshot("t", "s", name),
      () => broker.listSnapshots(name),
    ]) {
      expect(await codeOf(call())).toBe("INVALID_ARGUMENT");
    }
  }
  expect(await storage.list("data/snapshots/t")).toEqual(["s"]);
  expect((await broker.listTopics()).map(({ topic }) => topic)).toEqual(["t", "u"]);
  await checkFilledSnapshot(storage);
});

test("of two concurrent creations of the same snapshot, one succeeds", async () => {
  const { broker } = await filled();
  const made = await Promise.allSettled([broker.createSnapshot("t", "s"), broker.createSnapshot("t", "s")]);
  expect(made.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(made[1]).toMatchObject({ reason: { code: "SNAPSHOT_EXISTS" } });
});

test("deleting a topic waits for a snapshot of it", async () => {
  const { broker, storage } = await filled();
  const [made] = await Promise.all([broker.createSnapshot("t", "s"), broker.deleteTopic("t")]);
  expect(made.snapshot).toBe("s");
  expect(await broker.listTopics()).toEqual([]);
  await checkFilledSnapshot(storage);
});

test("a snapshot is listed once it is complete", async () => {
  const { broker, storage } = await filled();
  const listed: number[] = [];
  storage.before = async ({ path }: Call) => {
    if (path.startsWith("data/snapshots/t/~") || path === "data/snapshots/t/s") {
      storage.before = () => {};
      listed.push((await broker.listSnapshots()).length);
      storage.before = before;
    }
  };
  const { before } = storage;
  await broker.createSnapshot("t", "s");
  expect(listed.length).toBeGreaterThan(10);
  expect(new Set(listed)).toEqual(new Set([0]));
  expect(await broker.listSnapshots()).toHaveLength(1);
});

test("a restore to the snapshot's own topic and a concurrent snapshot of it do not deadlock", async () => {
  const { broker } = await filled();
  await broker.createSnapshot("t", "s");
  const restored = codeOf(broker.restoreSnapshot("t", "s", "t"));
  const [code] = await Promise.all([restored, broker.createSnapshot("t", "later")]);
  expect(code).toBe("TOPIC_EXISTS");
  expect((await broker.listSnapshots("t")).map(({ snapshot }) => snapshot)).toEqual(["later", "s"]);
});

test("closing the broker aborts a running snapshot, and leaves no files of it", async () => {
  const { broker, storage } = await filled();
  let closing: Promise<void> | undefined;
  storage.before = ({ kind }: Call) => {
    if (kind === "link") closing ??= broker.close();
  };
  expect(await codeOf(broker.createSnapshot("t", "s"))).toBe("CLOSED");
  await closing;
  expect(await storage.list("data/snapshots/t")).toEqual([]);
  expect(await codeOf(broker.createSnapshot("t", "s"))).toBe("CLOSED");
  storage.before = () => {};
  const { broker: again } = await opened({}, storage);
  await checkFilled(again.topic("t"));
});

test("closing the broker aborts a running restore, and leaves no files of it", async () => {
  const { broker, storage } = await filled();
  await broker.createSnapshot("t", "s");
  let closing: Promise<void> | undefined;
  let links = 0;
  storage.before = ({ kind, path }: Call) => {
    if (kind !== "link" || !path.endsWith(".log")) return;
    links++;
    closing ??= broker.close();
  };
  expect(await codeOf(broker.restoreSnapshot("t", "s", "u"))).toBe("CLOSED");
  await closing;
  expect(links).toBe(1); // out of three
  expect(await storage.list("data/topics")).toHaveLength(1);
});

test("a failed call fails the snapshot, but neither the topic nor the next snapshot", async () => {
  for (let k = 1; ; k++) {
    const { broker, storage } = await filled();
    let count = 0;
    storage.before = ({ path }: Call) => {
      if (path.startsWith("data/snapshots") && ++count === k)
        throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    };
    const failed = await broker.createSnapshot("t", "s").then(
      () => undefined,
      (error) => error,
    );
    storage.before = () => {};
    if (failed === undefined) {
      expect(k).toBeGreaterThan(20);
      return;
    }
    expect(failed).toMatchObject({ code: "STORAGE_FAILED", topic: "t" });
    await checkFilled(broker.topic("t"));
    for (const partition of [0, 1]) await broker.topic("t").append(null, "on", { partition });
    const [found] = await broker.listSnapshots();
    // The snapshot may have been renamed before the failure.
    if (found !== undefined) expect(await linesOf("data/snapshots/t/s", storage)).toEqual(numbered(range(7)));
    else await broker.createSnapshot("t", "s");
    await broker.restoreSnapshot("t", "s", "u");
    await broker.close();
    const { broker: again } = await opened({}, storage);
    expect(await storage.list("data/snapshots/t")).toEqual(["s"]);
    await again.close();
  }
});

test("a topic with a damaged or failed partition cannot be snapshotted, and the error is the partition's", async () => {
  const directory = temporaryDirectory();
  await (await filledIn(directory)).close();
  const [topic] = readdirSync(join(directory, "topics"));
  const path = join(directory, "topics", topic!, "0", "00000000000000000006.log");
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, -1));
  const broker = await openedIn(directory);
  expect(await caught(broker.createSnapshot("t", "s"))).toMatchObject({
    code: "CORRUPT_PARTITION",
    topic: "t",
    partition: 0,
  });
  expect(await broker.listSnapshots()).toEqual([]);
  const failed = await filled();
  failed.storage.before = failAt("sync", 1, ".log");
  await codeOf(failed.broker.topic("t").append(null, "x", { partition: 1 }));
  expect(await caught(failed.broker.createSnapshot("t", "s"))).toMatchObject({
    code: "STORAGE_FAILED",
    topic: "t",
    partition: 1,
  });
});

test("a snapshot can be copied by hand, under any name, to any data directory", async () => {
  const [here, there] = [temporaryDirectory(), temporaryDirectory()];
  const broker = await filledIn(here);
  await broker.createSnapshot("t", "s");
  const other = await openedIn(there);
  mkdirSync(join(there, "snapshots", "backup"), { recursive: true });
  cpSync(join(here, "snapshots", "t", "s"), join(there, "snapshots", "backup", "old"), { recursive: true });
  expect(await other.listSnapshots()).toMatchObject([{ topic: "backup", snapshot: "old" }]);
  await other.restoreSnapshot("backup", "old", "t");
  expect(await lines(other.topic("t"))).toEqual(numbered(range(7)));
});

test("an unreadable snapshot does not affect others, is reported on open, and can be deleted", async () => {
  const directory = temporaryDirectory();
  const broker = await filledIn(directory);
  for (const name of ["a", "b", "c"]) await broker.createSnapshot("t", name);
  const snapshots = join(directory, "snapshots", "t");
  writeFileSync(join(snapshots, "a", "snapshot.json"), "{}");
  rmSync(join(snapshots, "b", "snapshot.json"));
  writeFileSync(join(directory, "snapshots", "notes.txt"), "");
  const listed = (await broker.listSnapshots()).map(({ snapshot, damage }) => [snapshot, damage?.code]);
  expect(listed).toEqual([
    ["a", "NOT_A_LOG_STORE"],
    ["b", "NOT_A_LOG_STORE"],
    ["c", undefined],
  ]);
  await broker.close();
  const again = await openedIn(directory);
  expect(again.recovery.unreadableSnapshots).toMatchObject([
    { topic: "t", snapshot: "a", error: { code: "NOT_A_LOG_STORE" } },
    { topic: "t", snapshot: "b", error: { code: "NOT_A_LOG_STORE" } },
  ]);
  expect(await codeOf(again.restoreSnapshot("t", "a", "u"))).toBe("NOT_A_LOG_STORE");
  expect(await codeOf(again.createSnapshot("t", "a"))).toBe("SNAPSHOT_EXISTS");
  await again.deleteSnapshot("t", "a");
  await again.createSnapshot("t", "a");
});

test.each([
  ["a segment", (path: string) => rmSync(join(path, "0", "00000000000000000002.log"))],
  ["the last segment", (path: string) => rmSync(join(path, "0", "00000000000000000006.log"))],
  ["a partition", (path: string) => rmSync(join(path, "0"), { recursive: true })],
  ["the checkpoint", (path: string) => rmSync(join(path, "0", "checkpoint"))],
  ["store.json", (path: string) => rmSync(join(path, "store.json"))],
  ["topic.json", (path: string) => rmSync(join(path, "topic.json"))],
  [
    "the end of a segment",
    (path: string) => {
      const file = join(path, "0", "00000000000000000002.log");
      const bytes = readFileSync(file);
      rmSync(file);
      writeFileSync(file, bytes.subarray(0, 100));
    },
  ],
])("a snapshot without %s is not restored", async (_what, spoil) => {
  const directory = temporaryDirectory();
  const broker = await filledIn(directory);
  await broker.deleteRecords("t", 0, 1);
  await broker.createSnapshot("t", "s");
  spoil(join(directory, "snapshots", "t", "s"));
  expect(["CORRUPT_PARTITION", "NOT_A_LOG_STORE"]).toContain(await codeOf(broker.restoreSnapshot("t", "s", "u")));
  expect((await broker.listTopics()).map(({ topic }) => topic)).toEqual(["t"]);
  expect(readdirSync(join(directory, "topics"))).toHaveLength(1);
});

test("no operation on a topic affects its snapshot, or a topic restored from it", async () => {
  const directory = temporaryDirectory();
  const broker = await filledIn(directory);
  await broker.createSnapshot("t", "s");
  await broker.restoreSnapshot("t", "s", "u");
  await broker.close();
  const snapshot = join(directory, "snapshots", "t", "s");
  const before = everyFile(snapshot);
  const topics = readdirSync(join(directory, "topics"));
  for (const id of topics) {
    // A record is damaged in the second of four segments. That file is the topic's own copy; the
    // other segments are shared.
    const path = join(directory, "topics", id, "0", "00000000000000000002.log");
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
    // The fourth segment is missing, and the third is then continued.
    rmSync(join(directory, "topics", id, "0", "00000000000000000006.log"));
  }
  const again = await openedIn(directory);
  for (const topic of ["t", "u"]) {
    const store = again.topic(topic);
    expect((await store.repair({ dryRun: false })).length).toBeGreaterThan(0);
    await appendOneByOne(store, range(6, "x"));
    await again.deleteRecords(topic, 0, 5);
    await again.deleteTopic(topic);
  }
  await again.close();
  expect(everyFile(snapshot)).toEqual(before);
  expect(existsSync(join(directory, "topics", topics[0]!))).toBe(false);
});

test("if a creation or deletion may not be durable, the error says so", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage });
  onTestFinished(() => broker.close().catch(() => {}));
  await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.topic("t").append(null, "v");
  const failing = () => {
    storage.before = ({ kind, path }) => {
      if (kind !== "syncDirectory" || path !== "data/snapshots/t") return;
      throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    };
  };
  const listed = async () => (await broker.listSnapshots()).map(({ snapshot }) => snapshot);
  failing();
  const made = await caught(broker.createSnapshot("t", "s"));
  expect([made.code, made.topic]).toEqual(["STORAGE_FAILED", "t"]);
  expect(made.message).toContain("was made, but may be gone after a power cut");
  expect(await listed()).toEqual(["s"]);
  const deleted = await caught(broker.deleteSnapshot("t", "s"));
  expect(deleted.message).toContain("was deleted, but may be back after a power cut");
  expect(await listed()).toEqual([]);
  storage.before = () => {};
  await broker.createSnapshot("t", "s"); // the totals of snapshots are still correct
  expect(await listed()).toEqual(["s"]);
});
