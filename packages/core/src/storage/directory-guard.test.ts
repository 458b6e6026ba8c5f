/**
 * A directory that is removed, replaced or unmounted under an open store: the store recreates
 * nothing and acknowledges nothing more.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { caught, codeOf } from "../../test/records.js";
import { skipped } from "../../test/skipped.js";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { Broker, LogStore, NodeStorage } from "../index.js";

const openBroker = async (directory: string, options = {}) => {
  const broker = await Broker.open(directory, options);
  onTestFinished(() => broker.close().catch(() => {}));
  await broker.createTopic({ topic: "t", partitions: 2 });
  await broker.topic("t").append("k", "v", { partition: 0 });
  return broker;
};

/** The operations that create files or directories. */
const makers: Record<string, (broker: Broker) => Promise<unknown>> = {
  "an append": (broker) => broker.topic("t").append("k", "v", { partition: 0 }),
  "a partition's first append": (broker) => broker.topic("t").append("k", "v", { partition: 1 }),
  "an append that is not synced": (broker) =>
    broker.topic("t").append("k", "v", { partition: 0, durability: "written" }),
  "a new topic": (broker) => broker.createTopic({ topic: "u", partitions: 1 }),
  "a configuration": (broker) => broker.alterTopicConfig("t", { segmentBytes: 1_000_000 }),
  "a checkpoint": (broker) => broker.deleteRecords("t", 0, "latest"),
  "a snapshot": (broker) => broker.createSnapshot("t", "s"),
  "a producer id": (broker) => broker.allocateProducerId(),
  "a commit of a group": (broker) =>
    broker.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 1, metadata: "" }] } as never),
};

const disappearances: Record<string, (directory: string) => void> = {
  removed: (directory) => rmSync(directory, { recursive: true }),
  "moved away": (directory) => renameSync(directory, `${directory}-away`),
  replaced: (directory) => {
    renameSync(directory, `${directory}-away`);
    mkdirSync(directory);
  },
};

test.each(Object.keys(disappearances).flatMap((how) => Object.keys(makers).map((what) => [how, what] as const)))(
  "the data directory is %s: %s fails, and nothing is made",
  async (how, what) => {
    const directory = join(temporaryDirectory(), "data");
    const broker = await openBroker(directory);
    // Within a millisecond after a check, an append may be written before it is refused.
    await setTimeout(2);
    disappearances[how]!(directory);
    expect(await caught(makers[what]!(broker))).toMatchObject({ code: "STORAGE_FAILED" });
    expect(existsSync(directory) ? readdirSync(directory) : []).toEqual([]);
    expect(await broker.storageHealth()).toBe("failed");
    expect(await broker.topicHealth("t")).toBe("failed");
    if (how === "removed") return;
    // Even when the directory comes back, the store stays failed.
    rmSync(directory, { recursive: true, force: true });
    renameSync(`${directory}-away`, directory);
    expect(await codeOf(makers[what]!(broker))).toBe("STORAGE_FAILED");
    await broker.close().catch(() => {});
    const again = await Broker.open(directory);
    expect((await again.describeTopic("t")).partitions[0]!.logEndOffset).toBe(1);
    await again.close();
  },
);

test("health reports within seconds that the data directory is gone, without any call", async () => {
  const directory = join(temporaryDirectory(), "data");
  const broker = await openBroker(directory);
  const told = new Promise<void>((resolve) => broker.onTopicHealth(resolve));
  rmSync(directory, { recursive: true });
  await told;
  expect(await broker.storageHealth()).toBe("failed");
});

test.each(["topic", "partition"] as const)(
  "the directory of a %s is removed or replaced: it alone fails",
  async (which) => {
    for (const replaced of [false, true]) {
      const directory = join(temporaryDirectory(), "data");
      const broker = await openBroker(directory);
      await broker.createTopic({ topic: "other", partitions: 1 });
      const path = topicDirectory(directory, broker);
      const gone = which === "topic" ? path : join(path, "0");
      renameSync(gone, `${gone}-away`);
      if (replaced) mkdirSync(gone);
      const error = await caught(broker.topic("t").append("k", "v", { partition: 0 }));
      expect(error).toMatchObject({ code: "STORAGE_FAILED" });
      expect(existsSync(gone) ? readdirSync(gone) : []).toEqual([]);
      expect(await broker.topicHealth("t")).toBe("failed");
      expect(await broker.storageHealth()).toBe("serving");
      await broker.topic("other").append("k", "v");
      await broker.close().catch(() => {});
    }
  },
);

/** The directory of topic "t", found as the one that contains a partition. */
function topicDirectory(directory: string, _: Broker): string {
  const topics = join(directory, "topics");
  return join(topics, readdirSync(topics).find((id) => existsSync(join(topics, id, "0")))!);
}

test("a roll finds that its directory was replaced by another", async () => {
  const directory = join(temporaryDirectory(), "store");
  const store = await LogStore.open(directory, { segmentBytes: 1_000_000, durability: "written" });
  onTestFinished(() => store.close().catch(() => {}));
  await store.append("k", "v");
  renameSync(join(directory, "0"), join(directory, "0-away"));
  mkdirSync(join(directory, "0"));
  const big = Buffer.alloc(600_000);
  await store.append("k", big);
  expect(await codeOf(store.append("k", big))).toBe("STORAGE_FAILED");
  expect(readdirSync(join(directory, "0"))).toEqual([]);
});

test("only makeParents creates the parents of a directory", async () => {
  const storage = new NodeStorage();
  const path = join(temporaryDirectory(), "gone", "new");
  expect(await codeOf(storage.makeDirectory(path))).toBe("ENOENT");
  await storage.makeParents(path);
  await storage.makeDirectory(path);
  await storage.makeDirectory(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test("a file system that is unmounted under the store", async () => {
  const directory = mkdtempSync(join(temporaryDirectory(), "mount-"));
  if (spawnSync("mount", ["-t", "tmpfs", "tmpfs", directory]).status !== 0) {
    skipped("nothing can be mounted");
    return;
  }
  onTestFinished(() => void spawnSync("umount", ["-l", directory]));
  const broker = await openBroker(directory);
  expect(spawnSync("umount", ["-l", directory]).status).toBe(0);
  expect(await codeOf(broker.createTopic({ topic: "u", partitions: 1 }))).toBe("STORAGE_FAILED");
  expect(await codeOf(broker.topic("t").append("k", "v", { partition: 0 }))).toBe("STORAGE_FAILED");
  expect(readdirSync(directory)).toEqual([]);
});

test("a fresh volume is accepted with the files that its system created", async () => {
  for (const open of [LogStore.open, Broker.open]) {
    const directory = temporaryDirectory();
    for (const name of ["lost+found", ".Trashes", "System Volume Information"]) mkdirSync(join(directory, name));
    await (await open(directory)).close();
    await (await open(directory)).close();
  }
});

test("files are accessible to the owner and the group only", async () => {
  const directory = join(temporaryDirectory(), "data");
  const broker = await openBroker(directory);
  await broker.createSnapshot("t", "s");
  await broker.allocateProducerId();
  for (const name of ["", ...readdirSync(directory, { recursive: true, encoding: "utf8" })]) {
    expect([name, statSync(join(directory, name)).mode & 0o007]).toEqual([name, 0]);
  }
});

test("a directory inside one that allows only traversal", async () => {
  const parent = temporaryDirectory();
  mkdirSync(join(parent, "data"));
  chmodSync(parent, 0o711);
  const code = `
    import { LogStore } from "@logstore/core";
    process.setgid(65534); process.setuid(65534);
    const store = await LogStore.open(${JSON.stringify(join(parent, "data"))});
    await store.append("k", "v");
    await store.close();
    console.log("written");`;
  if (process.getuid?.() !== 0) return skipped("another user is needed");
  chmodSync(join(parent, "data"), 0o777);
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: new URL("../../", import.meta.url),
  });
  expect(String(stdout) + stderr).toBe("written\n");
});
