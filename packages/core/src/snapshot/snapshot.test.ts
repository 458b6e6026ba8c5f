/**
 * Snapshots of an embedded store, and the protection of files that the store and a snapshot share.
 */
import { readdirSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, caught, codeOf, collect, lines, range, text } from "../../test/records.js";
import { everyFile, temporaryDirectory } from "../../test/temporary-directory.js";
import { LogStore, type LogStoreOptions } from "../index.js";
import { SimulatedDisk } from "../testing/index.js";

const numbered = (all: readonly string[]) => all.map((value, i) => `${i} ${value}`);

async function opened(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open(directory, { segmentBytes: 200, ...options });
  onTestFinished(() => store.close().catch(() => {}));
  return store;
}

test("a store's snapshot is a store: it can be read, verified, and opened for writing", async () => {
  const storage = new HookedStorage();
  const store = await opened("store", { storage, partitions: 2 });
  await appendOneByOne(store, range(7), 1);
  const { partitions, sizeBytes } = await store.snapshot("copies/one/");
  await appendOneByOne(store, ["late"], 1);
  expect(partitions).toEqual([
    { partition: 0, logStartOffset: 0, logEndOffset: 0 },
    { partition: 1, logStartOffset: 0, logEndOffset: 7 },
  ]);
  expect(sizeBytes).toBeGreaterThan(500);
  const copy = await opened("copies/one", { storage });
  expect(copy.recovery).toEqual([]);
  for await (const event of copy.verify()) expect(event.type).toBe("progress");
  expect(await lines(copy, 1)).toEqual(numbered(range(7)));
  await appendOneByOne(copy, ["on"], 1);
  expect(await lines(copy, 1)).toEqual([...numbered(range(7)), "7 on"]);
  expect(await lines(store, 1)).toEqual([...numbered(range(7)), "7 late"]);
});

test("no snapshot is made where something exists; of two concurrent ones, one succeeds", async () => {
  const storage = new HookedStorage();
  const store = await opened("store", { storage });
  await appendOneByOne(store, range(3));
  const made = await Promise.allSettled([store.snapshot("in/copy"), store.snapshot("in/copy")]);
  expect(made).toMatchObject([{ status: "fulfilled" }, { reason: { code: "SNAPSHOT_EXISTS" } }]);
  expect(await codeOf(store.snapshot("store"))).toBe("SNAPSHOT_EXISTS");
  expect(await storage.list("in")).toEqual(["copy"]);
  expect(await lines(await opened("in/copy", { storage }))).toEqual(numbered(range(3)));
});

test("two stores that snapshot to the same place do not disturb each other: one succeeds, the other fails", async () => {
  const storage = new HookedStorage();
  const stores = [await opened("one", { storage }), await opened("two", { storage })];
  for (const [i, store] of stores.entries()) await appendOneByOne(store, range(10, `${i}.`));
  // Each is about to rename when the other starts.
  let begun = 0;
  storage.before = async ({ kind, path }) => {
    if (kind === "makeDirectory" && path.endsWith(".new")) begun++;
    while (kind === "rename" && path === "in/copy" && begun < 2) await new Promise((resolve) => setImmediate(resolve));
  };
  const made = await Promise.allSettled(stores.map((store) => store.snapshot("in/copy")));
  const winner = made.findIndex(({ status }) => status === "fulfilled");
  expect(made[1 - winner]).toMatchObject({ reason: { code: "SNAPSHOT_EXISTS" } });
  expect(await storage.list("in")).toEqual(["copy"]);
  expect(await lines(await opened("in/copy", { storage }))).toEqual(numbered(range(10, `${winner}.`)));
});

test("a snapshot whose name could not be made durable is reported as created", async () => {
  const storage = new HookedStorage();
  const store = await opened("store", { storage });
  await appendOneByOne(store, range(3));
  storage.before = ({ kind, path }) => {
    if (kind === "makeDirectory" && path === "copy") throw Object.assign(new Error("EIO: i/o error"), { code: "EIO" });
  };
  const error = await caught(store.snapshot("copy"));
  expect(error).toMatchObject({
    code: "STORAGE_FAILED",
    message: expect.stringContaining("copy was made, but may be gone"),
  });
  storage.before = () => {};
  expect(await lines(await opened("copy", { storage }))).toEqual(numbered(range(3)));
});

test("a signal, or closing the store, aborts it and leaves nothing behind", async () => {
  const storage = new HookedStorage();
  const store = await opened("store", { storage });
  await appendOneByOne(store, range(5));
  const stop = new AbortController();
  storage.before = ({ kind }) => {
    if (kind === "link") stop.abort(new Error("enough"));
  };
  await expect(store.snapshot("in/copy", { signal: stop.signal })).rejects.toThrow("enough");
  expect(await storage.list("in")).toEqual([]);
  let closing: Promise<void> | undefined;
  storage.before = ({ kind }) => {
    if (kind === "link") closing ??= store.close();
  };
  expect(await codeOf(store.snapshot("in/copy"))).toBe("CLOSED");
  await closing;
  expect(await storage.list("in")).toEqual([]);
  expect(await codeOf(store.snapshot("copy"))).toBe("CLOSED");
});

test("a repair waits for a snapshot, and a snapshot for a repair", async () => {
  const storage = new HookedStorage();
  const store = await opened("store", { storage });
  await appendOneByOne(store, range(5));
  await Promise.all([store.snapshot("one"), store.repair({ dryRun: false }), store.snapshot("two")]);
  for (const copy of ["one", "two"]) expect(await lines(await opened(copy, { storage }))).toEqual(numbered(range(5)));
});

test("gaps that a repair left are gaps in the snapshot, too", async () => {
  const disk = new SimulatedDisk();
  const store = await opened("store", { storage: disk });
  await appendOneByOne(store, range(7));
  await store.close();
  disk.flipBit("store/0/00000000000000000002.log", 8 * 100);
  disk.flipBit("store/0/00000000000000000006.log", 8 * 70);
  const broken = await opened("store", { storage: disk });
  await broken.repair({ dryRun: false });
  const left = await lines(broken);
  expect(left.length).toBeLessThan(7);
  const { partitions } = await broken.snapshot("copy");
  expect(partitions[0]!.logEndOffset).toBe(broken.partition(0).endOffset);
  const copy = await opened("copy", { storage: disk });
  expect(copy.recovery).toEqual([]);
  expect(await lines(copy)).toEqual(left);
  await appendOneByOne(copy, ["on"]);
  expect((await lines(copy)).at(-1)).toBe(`${partitions[0]!.logEndOffset} on`);
});

test("records with durability written are in a snapshot, and durable there", async () => {
  const disk = new SimulatedDisk();
  const store = await opened("store", { storage: disk, durability: "written" });
  await appendOneByOne(store, range(7));
  await store.snapshot("copy");
  const afterwards = disk.powerCut("drop-all");
  expect(await lines(await opened("copy", { storage: afterwards }))).toEqual(numbered(range(7)));
});

test("a snapshot waits for a finished segment that is not yet durable", async () => {
  const storage = new HookedStorage();
  const store = await opened("store", { storage, durability: "written" });
  const go = Promise.withResolvers<void>();
  storage.before = async ({ kind, path }) => {
    if (kind === "sync" && path === segment("store", 2)) await go.promise;
  };
  await appendOneByOne(store, range(5));
  const making = store.snapshot("copy");
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(await storage.list("copy")).toBe(undefined);
  go.resolve();
  await making;
  expect(await lines(await opened("copy", { storage }))).toEqual(numbered(range(5)));
});

/** Creates a closed store of four segments, with a snapshot. */
async function shared() {
  const directory = temporaryDirectory();
  const [path, copy] = [join(directory, "store"), join(directory, "copy")];
  const store = await opened(path);
  await appendOneByOne(store, range(7));
  await store.snapshot(copy);
  await store.close();
  return { path, copy, before: everyFile(copy) };
}

const segment = (path: string, baseOffset: number) => join(path, "0", `${String(baseOffset).padStart(20, "0")}.log`);

test("a finished segment that recovery writes to again is detached from the snapshot", async () => {
  const { path, copy, before } = await shared();
  // Nothing proves that the last two segments were durable; the one before them is finished, and
  // torn at its end.
  rmSync(join(path, "0", "checkpoint"));
  for (const name of readdirSync(join(path, "0"))) if (name.endsWith(".index")) rmSync(join(path, "0", name));
  const own = segment(path, 4);
  renameSync(own, `${own}.aside`); // a copy of its own, truncated: it is no longer shared
  rmSync(`${own}.aside`);
  const store = await opened(path);
  expect(store.recovery.length).toBe(1);
  await store.repair({ dryRun: false });
  await appendOneByOne(store, range(3, "x"));
  await store.close();
  expect(everyFile(copy)).toEqual(before);
});

test("a repair that truncates a shared segment leaves the snapshot's copy unchanged", async () => {
  const { path, copy } = await shared();
  // The file rots in both places, because it is one file. What the repair removes from the store's
  // segment remains in the snapshot's.
  const [own, other] = [segment(path, 2), segment(copy, 2)];
  expect(statSync(own).ino).toBe(statSync(other).ino);
  truncateSync(own, statSync(own).size - 1);
  const before = everyFile(copy);
  const store = await opened(path);
  await store.repair({ dryRun: false });
  await appendOneByOne(store, range(3, "x"));
  await store.close();
  expect(everyFile(copy)).toEqual(before);
  expect(statSync(own).ino).not.toBe(statSync(other).ino);
  expect(statSync(own).size).toBeLessThan(statSync(other).size);
});

test("a finished segment that continues after a torn tail becomes a file of the store's own", async () => {
  const disk = new SimulatedDisk();
  const store = await opened("store", { storage: disk, durability: "written" });
  await appendOneByOne(store, range(7));
  const found = disk.processKill();
  const [first, second, third] = [0, 2, 4].map((baseOffset) => segment("store", baseOffset));
  await found.makeDirectory("copy");
  for (const [i, path] of [first!, second!].entries()) await found.link(path, `copy/${i}`);
  const before = [0, 1].map((i) => found.content(`copy/${i}`));
  // Nothing proves that any of it was durable, and the third segment is missing: the store
  // continues in the second.
  await found.remove("store/0/checkpoint");
  await found.remove(third!);
  const torn = await opened("store", { storage: found, segmentBytes: 10_000 });
  expect(torn.recovery).toMatchObject([{ tornTail: { file: second!.slice("store/".length) } }]);
  await appendOneByOne(torn, ["on"]);
  expect(await lines(torn)).toEqual([...numbered(range(4)), "4 on"]);
  expect(await found.list("store/0")).not.toContain(third!.slice("store/0/".length)); // it was written to the second segment
  expect([0, 1].map((i) => found.content(`copy/${i}`))).toEqual(before);
});

test("without support for links, a read-only open of the copy finds the same records", async () => {
  const storage = new HookedStorage();
  const store = await opened("store", { storage });
  await appendOneByOne(store, range(7));
  storage.before = ({ kind }) => {
    if (kind === "link") throw Object.assign(new Error("no"), { code: "ENOTSUP" });
  };
  await store.snapshot("copy");
  const copy = await LogStore.openReadOnly("copy", { storage });
  onTestFinished(() => copy.close());
  expect((await collect(copy.read(0))).map(({ value }) => text(value))).toEqual(range(7));
});
