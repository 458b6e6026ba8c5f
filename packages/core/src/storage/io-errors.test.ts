/**
 * Messages of failed file operations: the file, the operation and the remedy. And the warnings that
 * precede some of them.
 */
import { expect, onTestFinished, test } from "vitest";
import { type Call, HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, caught, range, sealed, values } from "../../test/records.js";
import { Broker, type LogStoreOptions, type WarnedEvent } from "../index.js";
import { LogStore } from "../store/log-store.js";

const LOG = "0/00000000000000000000.log";
const INDEX = "0/00000000000000000000.index";

function failing(kind: Call["kind"], pathEnd: string, code: string): HookedStorage["before"] {
  return (call) => {
    if (call.kind !== kind || !call.path.endsWith(pathEnd)) return;
    throw Object.assign(new Error(`${code}: the system's words`), { code });
  };
}

async function opened(options: LogStoreOptions = {}) {
  const storage = new HookedStorage();
  const store = await LogStore.open("data/store", { storage, segmentBytes: 400, ...options });
  onTestFinished(() => store.close().catch(() => {}));
  return { storage, store };
}

const append = (store: LogStore) => appendOneByOne(store, range(20));

test.each([
  ["makeDirectory", "store/0", "making 0", "0", "EROFS", "remount"],
  ["createFile", LOG, `creating ${LOG}`, LOG, "EACCES", "read and write access"],
  ["write", LOG, `writing to ${LOG}`, LOG, "ENOSPC", "make room"],
  ["sync", LOG, `making durable ${LOG}`, LOG, "EIO", "kernel's log"],
  ["write", INDEX, `writing to ${INDEX}`, INDEX, "EDQUOT", "make room"],
  ["createFile", "checkpoint.tmp", "creating 0/checkpoint.tmp", "0/checkpoint.tmp", "EMFILE", "LimitNOFILE"],
  ["rename", "checkpoint", "renaming checkpoint.tmp to 0/checkpoint", "0/checkpoint", "EPERM", "read and write access"],
  ["syncDirectory", "store/0", "making durable 0", "0", "EIO", "kernel's log"],
] as const)("an append that fails at %s of %s", async (kind, pathEnd, tried, file, code, advice) => {
  const { storage, store } = await opened();
  storage.before = failing(kind, pathEnd, code);
  const error = await caught(append(store));
  expect(error).toMatchObject({ code: "STORAGE_FAILED", partition: 0, file });
  const { message } = error as Error;
  expect(message).toContain(`${tried} failed (${code}: the system's words)`);
  expect(message).toContain("partition 0 takes no more appends until it is opened again");
  expect(message).toContain(advice);
  expect(message).not.toContain("a write failed");
});

test("an open partition whose segment cannot be read", async () => {
  const { storage, store } = await opened();
  await append(store);
  await store.close();
  const again = await LogStore.open("data/store", { storage: storage.inner, segmentBytes: 400 });
  await again.close();
  storage.before = ({ kind, path }) => {
    if (kind === "read" && path.endsWith(".log"))
      throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
  };
  const unreadable = await LogStore.open("data/store", { storage, segmentBytes: 400 });
  onTestFinished(() => unreadable.close().catch(() => {}));
  const error = await caught(values(unreadable));
  expect(error).toMatchObject({ code: "STORAGE_FAILED", partition: 0, file: expect.stringMatching(/^0\/\d+\.log$/) });
  expect((error as Error).message).toMatch(/reading 0\/\d+\.log failed \(EIO: i\/o error, read\).*kernel's log/);
});

test.each([
  ["openFile", "opening"],
  ["read", "reading"],
  ["size", "looking at"],
] as const)("a reader whose %s fails", async (kind, doing) => {
  const { storage, store } = await opened({ tailCacheBytes: 0, maxOpenFiles: 1 });
  await append(store);
  storage.before = ({ kind: each, path }) => {
    if (each === kind && path.endsWith(".log")) throw Object.assign(new Error("EIO: no"), { code: "EIO" });
  };
  const reading = await Promise.allSettled([values(store), store.deleteRecords(0, 5)]);
  const errors = reading.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  for (const error of errors) {
    expect(error).toMatchObject({ code: "STORAGE_FAILED", partition: 0, file: expect.stringMatching(/^0\/\d+\.log$/) });
    expect(error.message).toMatch(new RegExp(`${doing} 0/\\d+\\.log failed \\(EIO: no\\)`));
    expect(error.message).toContain("kernel's log");
  }
  if (kind !== "size") expect(errors).not.toHaveLength(0);
});

test.each([
  ["list", "store", "listing"],
  ["makeDirectory", "store", "making"],
  ["lock", "store", "locking"],
  ["identify", "store", "looking at"],
  ["openFile", "store.json", "opening"],
  ["read", "store.json", "reading"],
  ["size", "store.json", "looking at"],
] as const)("an opening whose %s of %s fails", async (kind, pathEnd, doing) => {
  const { storage, store } = await opened();
  await store.close();
  storage.before = failing(kind, pathEnd, "EACCES");
  const error = await caught(LogStore.open("data/store", { storage }));
  expect(error).toMatchObject({ code: "STORAGE_FAILED", file: expect.stringMatching(new RegExp(`${pathEnd}$`)) });
  expect((error as Error).message).toMatch(new RegExp(`data/store cannot be opened: ${doing} \\S*${pathEnd} failed`));
  expect((error as Error).message).toContain("read and write access");
});

test("a topic that cannot be created", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage });
  onTestFinished(() => broker.close().catch(() => {}));
  storage.before = failing("write", "topic.json.tmp", "ENOSPC");
  const error = await caught(broker.createTopic({ topic: "t", partitions: 1 }));
  const file = expect.stringMatching(/^topics\/[0-9a-f]{16}\.new\/topic\.json\.tmp$/);
  expect(error).toMatchObject({ code: "STORAGE_FAILED", topic: "t", file });
  expect((error as Error).message).toMatch(/writing to topics\/\S+ failed \(ENOSPC.*make room/);
});

async function warnings(options: LogStoreOptions, storage = new HookedStorage()) {
  const events: WarnedEvent[] = [];
  const hooks = { warned: (event: WarnedEvent) => void events.push(event) };
  const store = await LogStore.open("data/store", { storage, hooks, ...options });
  onTestFinished(() => store.close().catch(() => {}));
  return { events, store, storage };
}

test("warns when a directory is created, but not when it existed", async () => {
  const { events, store, storage } = await warnings({});
  expect(events).toMatchObject([{ type: "newDirectory", directory: "data/store" }]);
  await store.close();
  expect((await warnings({}, storage)).events).toEqual([]);
  const ofBroker: WarnedEvent[] = [];
  for (let opening = 0; opening < 2; opening++) {
    const broker = await Broker.open("broker", { storage, hooks: { warned: (event) => void ofBroker.push(event) } });
    await broker.createTopic({ topic: `t${opening}`, partitions: 1 });
    await broker.close();
  }
  expect(ofBroker).toMatchObject([{ type: "newDirectory", directory: "broker" }]);
});

test("warns of a clock more than a minute behind the last append, on open and later, but not for every append", async () => {
  const { store, storage, events } = await warnings({ partitions: 3 });
  events.length = 0;
  storage.time = 10_000_000;
  for (const partition of [0, 1, 2]) await store.append(null, "a", { partition });
  storage.time -= 60_000;
  await store.append(null, "b", { partition: 0 });
  expect(events).toEqual([]);
  storage.time -= 1;
  for (const partition of [1, 0, 1, 2]) await store.append(null, "c", { partition });
  const [now, lastAppendTime] = [9_939_999, 10_000_000];
  expect(events).toMatchObject([{ type: "clockBehind", partition: 1, now, lastAppendTime }]);
  await store.close();
  expect((await warnings({}, storage)).events).toMatchObject([{ type: "clockBehind", now, lastAppendTime }]);
});

test("a broker's warning names the topic whose last append is ahead of the clock", async () => {
  const storage = new HookedStorage();
  const events: WarnedEvent[] = [];
  const broker = await Broker.open("data", { storage, hooks: { warned: (event) => void events.push(event) } });
  onTestFinished(() => broker.close());
  await broker.createTopic({ topic: "t", partitions: 1 });
  storage.time = 10_000_000;
  const produce = () => broker.produce({ topic: "t", partition: 0, batches: sealed(["v"]) });
  await produce();
  storage.time = 0;
  await produce();
  expect(events.at(-1)).toMatchObject({ type: "clockBehind", topic: "t", partition: 0 });
});

test.each(["EMFILE", "ENFILE"])("warns once when the system has no more descriptors (%s)", async (code) => {
  const { store, storage, events } = await warnings({ partitions: 8 });
  events.length = 0;
  let left = 5;
  storage.before = ({ kind }) => {
    if (kind === "createFile" && left-- > 0) throw Object.assign(new Error(code), { code });
  };
  await Promise.allSettled(range(8).map((value, partition) => store.append(null, value, { partition })));
  expect(events).toMatchObject([{ type: "outOfDescriptors", code }]);
});

test("an altered configuration that may not be durable is in effect, as in the file, and the error says so", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage });
  onTestFinished(() => broker.close().catch(() => {}));
  await broker.createTopic({ topic: "t", partitions: 1 });
  storage.before = ({ kind, path }) => {
    if (kind === "syncDirectory" && /topics\/[0-9a-f]{16}$/.test(path))
      throw Object.assign(new Error("EIO: no"), { code: "EIO" });
  };
  const error = await caught(broker.alterTopicConfig("t", { retentionMs: 5_000 }));
  expect(error).toMatchObject({ code: "STORAGE_FAILED", topic: "t" });
  expect(error.message).toMatch(/was altered, but may be as before after a power cut/);
  expect(error.message).not.toContain("cannot be changed");
  expect(broker.topicConfig("t")).toMatchObject({ retentionMs: 5_000 });
  storage.before = () => {};
  await broker.close();
  const again = await Broker.open("data", { storage });
  onTestFinished(() => again.close());
  expect(again.topicConfig("t")).toMatchObject({ retentionMs: 5_000 });
});
