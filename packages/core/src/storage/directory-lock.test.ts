import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { canUnshare } from "../../test/lock/fight.js";
import { caught, codeOf } from "../../test/records.js";
import { skipped } from "../../test/skipped.js";
import { everyFile, temporaryDirectory } from "../../test/temporary-directory.js";
import { encodeJsonWithCrc } from "../files/checked-json.js";
import { Broker, LogStore, NodeStorage } from "../index.js";
import { exclusiveFlag, lockByExclusiveFile } from "./exclusive-file-lock.js";
import { checkKind } from "./file-system.js";
import { lockBySocket } from "./socket-lock.js";

/**
 * Opens a store in another process, which prints whether that succeeded. It runs the built package.
 */
async function openElsewhere(directory: string, wrap: readonly string[] = []) {
  const code = `
    import { LogStore } from "@logstore/core";
    try {
      const store = await LogStore.open(${JSON.stringify(directory)});
      await store.append("k", "from there");
      console.log("open");
      setInterval(() => {}, 1000);
    } catch (error) {
      console.log(error.code + " " + error.message);
    }`;
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const [command, ...args] = [...wrap, process.execPath, "--input-type=module", "--eval", code];
  const child = spawn(command!, args, {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, said: said.toString().trim() };
}

test("a directory has one writer per process, whatever path it is opened by", async () => {
  const directory = temporaryDirectory();
  const link = join(temporaryDirectory(), "link");
  symlinkSync(directory, link);
  const store = await LogStore.open(directory);
  for (const path of [directory, `${directory}/`, link]) {
    const error = await caught(LogStore.open(path));
    expect(error).toMatchObject({ code: "LOCKED", file: "lock" });
    expect(error.message).toContain(`process ${process.pid}`);
  }
  await store.close();
  expect(existsSync(join(directory, "lock"))).toBe(false);
  await (await LogStore.open(link)).close();
});

test("closing twice does not release the next owner's lock", async () => {
  const directory = temporaryDirectory();
  const first = await LogStore.open(directory);
  await first.close();
  const second = await LogStore.open(directory);
  await first.close();
  expect(readFileSync(join(directory, "lock"), "utf8")).toBe(`${process.pid}\n`);
  await second.close();
});

test("another process is refused, and the error names the owner", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory);
  const { said } = await openElsewhere(directory);
  expect(said).toMatch(/^LOCKED /);
  expect(said).toContain(`process ${process.pid}`);
  await store.close();
});

test("the lock of a killed owner is gone", async () => {
  const directory = temporaryDirectory();
  const { child, said } = await openElsewhere(directory);
  expect(said).toBe("open");
  expect((await caught(LogStore.open(directory))).message).toContain(`process ${child.pid}`);
  child.kill("SIGKILL");
  await once(child, "exit");
  const store = await LogStore.open(directory);
  expect(store.partition(0).endOffset).toBe(1);
  await store.close();
});

const locks = (directory: string) => readdirSync(directory).filter((name) => name.startsWith("lock"));

test("another process is refused from a network namespace of its own, and while the owner is stopped", async () => {
  const directory = temporaryDirectory();
  const { child } = await openElsewhere(directory);
  child.kill("SIGSTOP");
  expect((await openElsewhere(directory)).said).toMatch(/^LOCKED /);
  const unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"];
  if (!canUnshare) return skipped("namespaces");
  expect((await openElsewhere(directory, unshare)).said).toMatch(/^LOCKED /);
  child.kill("SIGKILL");
  await once(child, "exit");
  const next = await openElsewhere(directory, unshare);
  expect(next.said).toBe("open");
  expect(await codeOf(LogStore.open(directory))).toBe("LOCKED");
});

test("a path that is longer than a socket address can be", async () => {
  const directory = join(temporaryDirectory(), "d".repeat(200), "e".repeat(200));
  const store = await LogStore.open(directory);
  expect((await openElsewhere(directory)).said).toMatch(/^LOCKED /);
  await store.close();
  expect(locks(directory)).toEqual([]);
});

test("without /proc such a path is refused and nothing is left in it; a shorter one is locked", async () => {
  const long = join(temporaryDirectory(), "d".repeat(100));
  mkdirSync(long);
  const error = await caught(lockBySocket(long, "aix"));
  expect(error).toMatchObject({ code: "STORAGE_FAILED", file: "lock" });
  expect(error.message).toMatch(/longer than \d+ bytes/);
  expect(readdirSync(long)).toEqual([]);
  const short = temporaryDirectory();
  const lock = await lockBySocket(short, "aix");
  expect(lock!.isHeld()).toBe(true);
  expect(await lockBySocket(short, "aix")).toBeUndefined();
  await lock!.release();
  expect(readdirSync(short)).toEqual([]);
});

test("the file lock of macOS, BSD and Windows is held only while its name refers to it", async () => {
  const path = join(temporaryDirectory(), "d".repeat(200), "lock");
  mkdirSync(dirname(path));
  const notExclusive = 0; // Linux has no such flag: the kernel's refusal cannot be tested here
  const lock = await lockByExclusiveFile(path, notExclusive);
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  expect(lock!.isHeld()).toBe(true);
  rmSync(path);
  expect(lock!.isHeld()).toBe(false);
  writeFileSync(path, "another's");
  expect(lock!.isHeld()).toBe(false);
  await lock!.release();
  expect(readFileSync(path, "utf8")).toBe("another's");
  expect((["darwin", "freebsd", "win32", "linux"] as const).map((platform) => exclusiveFlag(platform))).toEqual([
    0x20,
    0x20,
    0x1000_0000,
    undefined,
  ]);
});

test("a topic of a broker's data directory can be opened only by the broker, whatever path is used", async () => {
  const data = join(temporaryDirectory(), "data");
  const broker = await Broker.open(data);
  await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.topic("t").append(null, "v");
  await broker.commitOffsets({ group: "g", offsets: [{ topic: "t", partition: 0, offset: 1 }] });
  await broker.createSnapshot("t", "s");
  const link = join(temporaryDirectory(), "link");
  symlinkSync(join(data, "groups"), link);
  const [topic] = readdirSync(join(data, "topics"));
  const inside = [
    join(data, "groups"),
    link,
    join(data, "new"),
    join(data, "topics", topic!),
    join(data, "topics", "new"),
    join(data, "snapshots", "t", "s"),
    join(data, "snapshots", "t", "new"),
  ];
  const refused = async () => {
    for (const path of inside) expect([path, await codeOf(LogStore.open(path))]).toEqual([path, "NOT_A_LOG_STORE"]);
  };
  await refused();
  await broker.close();
  const before = everyFile(data);
  await refused(); // the broker will use what is written there whenever it is opened
  expect(everyFile(data)).toEqual(before);
  const groups = await LogStore.openReadOnly(join(data, "groups"));
  expect(groups.partition(0).endOffset).toBeGreaterThan(0);
  await groups.close();
  await (await LogStore.open(join(data, "..", "beside"))).close();
});

test("files that only look like locks are ignored: from old owners, crashes, or created by hand", async () => {
  const directory = temporaryDirectory();
  await (await LogStore.open(directory)).close();
  for (const name of ["lock", "lock.7", "lock.123456"]) writeFileSync(join(directory, name), "1\n");
  const store = await LogStore.open(directory);
  expect(locks(directory)).toEqual(["lock", "lock.123457"]);
  await store.close();
  expect(locks(directory)).toEqual([]);
});

test("a writer whose lock was removed acknowledges nothing more and does not harm the next owner", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory);
  await store.append("k", "before");
  for (const name of locks(directory)) rmSync(join(directory, name));
  const next = await LogStore.open(directory);
  for (const durability of ["flushed", "written"] as const) {
    expect(await caught(store.append("k", "lost", { durability }))).toMatchObject({
      code: "STORAGE_FAILED",
      file: "lock",
    });
  }
  await next.append("k", "after");
  await store.close().catch(() => {});
  expect(await codeOf(LogStore.open(directory))).toBe("LOCKED");
  await next.close();
  const again = await LogStore.open(directory);
  expect(again.partition(0).endOffset).toBe(2);
  await again.close();
});

test("a write in flight when the lock is lost is not acknowledged", async () => {
  const directory = temporaryDirectory();
  const storage = new HookedStorage(new NodeStorage());
  const store = await LogStore.open(directory, { storage });
  await store.append("k", "before");
  storage.before = ({ kind }) => {
    if (kind === "sync") for (const name of locks(directory)) rmSync(join(directory, name));
  };
  expect(await codeOf(store.append("k", "meanwhile"))).toBe("STORAGE_FAILED");
  await store.close().catch(() => {});
});

test("if the lock file cannot be removed, close reports it and still releases the lock", async () => {
  const directory = temporaryDirectory();
  const chattr = (flag: string) => spawnSync("chattr", [flag, join(directory, "lock")]).status === 0;
  onTestFinished(() => void chattr("-i"));
  for (const open of [LogStore.open, Broker.open] as const) {
    const store = await open(directory);
    if (!chattr("+i")) return skipped("chattr");
    const error = await caught(store.close());
    expect(error).toMatchObject({ code: "STORAGE_FAILED" });
    expect(error.message).toContain(join(directory, "lock"));
    expect(locks(directory)).toEqual(["lock"]);
    chattr("-i");
    await (await open(directory)).close();
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
  }
});

test("network file systems are refused", () => {
  expect(() => checkKind("/mnt/x", 0x6969)).toThrow("network file system (NFS)");
  expect(() => checkKind("/mnt/x", 0xef53)).not.toThrow();
});

test("a broker's directory is locked like a store's", async () => {
  const directory = temporaryDirectory();
  const broker = await Broker.open(directory);
  expect(await codeOf(Broker.open(directory))).toBe("LOCKED");
  await broker.close();
  await (await Broker.open(directory)).close();
});

const newer = { format: "logstore", formatVersion: 2, id: "x", partitions: 1, partitioner: "fnv1a-32" };
const ours = { ...newer, formatVersion: 1 };
const newerBroker = { format: "logstore-broker", formatVersion: 2 };
/** As the file is written, with its checksum. */
const whole = (fields: object) => Buffer.from(encodeJsonWithCrc(fields)).toString();

test.each([
  ["a file of something else", { "notes.txt": "mine" }, "NOT_A_LOG_STORE", "NOT_A_LOG_STORE"],
  ["a directory of something else", { "src/": "" }, "NOT_A_LOG_STORE", "NOT_A_LOG_STORE"],
  [
    "a store.json of something else",
    { "store.json": whole({ format: "shop", formatVersion: 1 }) },
    "NOT_A_LOG_STORE",
    "NOT_A_LOG_STORE",
  ],
  ["a damaged store.json", { "store.json": '{"format":"logst' }, "NOT_A_LOG_STORE", "NOT_A_LOG_STORE"],
  ["an empty store.json", { "store.json": "" }, "NOT_A_LOG_STORE", "NOT_A_LOG_STORE"],
  [
    "a store.json that lacks fields",
    { "store.json": whole({ format: "logstore", formatVersion: 1 }) },
    "NOT_A_LOG_STORE",
    "NOT_A_LOG_STORE",
  ],
  ["a newer store", { "store.json": whole(newer) }, "UNSUPPORTED_FORMAT_VERSION", "NOT_A_LOG_STORE"],
  ["a newer broker", { "broker.json": whole(newerBroker) }, "NOT_A_LOG_STORE", "UNSUPPORTED_FORMAT_VERSION"],
  ["a store.json without its checksum", { "store.json": JSON.stringify(ours) }, "NOT_A_LOG_STORE", "NOT_A_LOG_STORE"],
  [
    "a store.json with another's checksum",
    { "store.json": whole(ours).replace('"fnv1a-32"', '"fnv1a-33"') },
    "NOT_A_LOG_STORE",
    "NOT_A_LOG_STORE",
  ],
  ["a damaged broker.json", { "broker.json": "null" }, "NOT_A_LOG_STORE", "NOT_A_LOG_STORE"],
])("%s is left as it is", async (_, files, asStore, asBroker) => {
  const directory = temporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith("/")) mkdirSync(join(directory, name));
    else writeFileSync(join(directory, name), content);
  }
  const before = everyFile(directory);
  expect(await codeOf(LogStore.open(directory))).toBe(asStore);
  expect(await codeOf(Broker.open(directory))).toBe(asBroker);
  expect(everyFile(directory)).toEqual(before);
});

test("a wrong partition count or partitioner changes nothing", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory, { partitions: 3 });
  await store.append("k", "v");
  await store.close();
  const before = everyFile(directory);
  expect(await codeOf(LogStore.open(directory, { partitions: 2 }))).toBe("PARTITION_COUNT_MISMATCH");
  expect(await codeOf(LogStore.open(directory, { partitioner: { name: "p", partition: () => 0 } }))).toBe(
    "PARTITIONER_MISMATCH",
  );
  expect(everyFile(directory)).toEqual(before);
});

test("workers of one cluster are separate writers: only one of them gets the lock", async () => {
  const script = fileURLToPath(new URL("../../test/cluster-writers.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, temporaryDirectory()], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const chunk of child.stdout) said += chunk;
  expect(said.trim().split("\n").toSorted()).toEqual(["LOCKED", "open"]);
});

test("an open that fails, at whichever call, keeps no lock", async () => {
  const storage = new HookedStorage(new NodeStorage());
  let failures = 0;
  for (let k = 1; ; k++) {
    const directory = join(temporaryDirectory(), "data");
    await (await LogStore.open(directory, { storage })).close();
    let calls = 0;
    storage.before = () => {
      if (++calls === k) throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
    };
    await LogStore.open(directory, { storage }).then(
      (store) => store.close().catch(() => {}),
      () => failures++,
    );
    storage.before = () => {};
    await (await LogStore.open(directory, { storage })).close();
    if (calls < k) break;
  }
  expect(failures).toBeGreaterThan(5);
});
