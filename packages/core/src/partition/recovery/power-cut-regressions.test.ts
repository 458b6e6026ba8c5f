/** Faults that the crash sweep found, each reproduced in the fewest steps. */
import { expect, test } from "vitest";
import { codeOf, values } from "../../../test/records.js";
import { LogStore } from "../../index.js";
import { SimulatedDisk } from "../../testing/index.js";

const LOG = "store/0/00000000000000000000.log";

// Linux marks a page that it failed to write as clean: the next sync, by recovery, succeeds without
// writing it. The data that recovery read would then be on no disk, although later appends depend
// on it. Therefore recovery rewrites whatever is not proven to be durable.
test("records acknowledged after a failed sync and a reopen survive a power cut", async () => {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("store", { storage: disk });
  await store.append(null, "a");
  disk.failAt(1, "failed-sync", { when: ({ path }) => path === LOG });
  expect(await codeOf(store.append(null, "b"))).toBe("STORAGE_FAILED");
  await store.close();
  const again = await LogStore.open("store", { storage: disk });
  expect(await values(again)).toEqual(["a", "b"]);
  await again.append(null, "c", { durability: "flushed" });
  const afterwards = disk.powerCut("drop-all");
  expect(await values(await LogStore.open("store", { storage: afterwards }))).toEqual(["a", "b", "c"]);
});

// The same for a finished segment, whose sync runs in the background.
test("recovery rewrites what a failed sync of a finished segment dropped", async () => {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("store", { storage: disk, segmentBytes: 100, durability: "written" });
  await store.append(null, "a");
  disk.failAt(1, "failed-sync", { when: ({ path }) => path === LOG });
  await store.append(null, "b");
  expect(await codeOf(store.flush())).toBe("STORAGE_FAILED");
  await store.close();
  const again = await LogStore.open("store", { storage: disk });
  expect(await values(again)).toEqual(["a", "b"]);
  await again.append(null, "c", { durability: "flushed" });
  const afterwards = disk.powerCut("drop-all");
  expect(await values(await LogStore.open("store", { storage: afterwards }))).toEqual(["a", "b", "c"]);
});

// A sector may end directly after a batch's magic. The byte at the position of the version is then
// zero or arbitrary, and does not indicate a newer format.
test.each([0, 142])(
  "a batch torn after its magic, with %d in place of its version, is a torn tail",
  async (version) => {
    const disk = new SimulatedDisk();
    const store = await LogStore.open("store", { storage: disk });
    await store.append(null, "a");
    const { length: end } = (await store.partition(0).slice(0, 1000))!;
    await store.append(null, "b", { durability: "written" });
    const torn = disk.content(LOG);
    torn.fill(version, end + 3);
    const afterwards = disk.powerCut("drop-all");
    afterwards.replaceContent(LOG, torn);
    const recovered = await LogStore.open("store", { storage: afterwards });
    expect(recovered.recovery).toMatchObject([{ damage: undefined, tornTail: { byte: end } }]);
    expect((await recovered.append(null, "c")).offset).toBe(1);
  },
);

// The checkpoint of a deletion refers to the segment that is active at that time. The power fails
// after a roll and before the checkpoint of the next segment is written. The next open finds that
// the first segment is below the log start, but must not remove it while the checkpoint refers to
// it.
test("a segment that the checkpoint refers to is not removed before a new checkpoint exists", async () => {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("store", { storage: disk, segmentBytes: 100 });
  await store.append(null, "a");
  await store.deleteRecords(0, 1);
  disk.onMutation = ({ kind, path }) => {
    if (kind === "createFile" && path.endsWith("checkpoint.tmp")) disk.stop();
  };
  expect(await codeOf(store.append(null, "b"))).toBe("STORAGE_FAILED");
  const afterwards = disk.powerCut("drop-all");
  const opened = await LogStore.open("store", { storage: afterwards });
  expect(opened.recovery).toEqual([]);
  await opened.append(null, "c");
  const again = await LogStore.open("store", { storage: afterwards.processKill() });
  expect(again.recovery).toEqual([]);
  expect(await values(again)).toEqual(["c"]);
});

// The process is killed between the rename of a checkpoint and the sync of its directory: the next
// open relies on that checkpoint.
test("a power cut does not move back a log start that was visible", async () => {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("store", { storage: disk });
  await store.appendMany(0, [{ value: "a" }, { value: "b" }]);
  disk.onMutation = ({ kind, path }) => {
    if (kind === "syncDirectory" && path === "store/0") disk.stop();
  };
  expect(await codeOf(store.deleteRecords(0, 1))).toBe("STORAGE_FAILED");
  const afterwards = disk.processKill();
  const opened = await LogStore.open("store", { storage: afterwards });
  expect(opened.partition(0).startOffset).toBe(1);
  await opened.append(null, "c");
  const again = await LogStore.open("store", { storage: afterwards.powerCut("drop-all") });
  expect(again.partition(0).startOffset).toBe(1);
});

// The same with a log start after a whole segment: the segment must not be removed while the
// checkpoint with the new log start may still be lost.
test("no segment is removed before the checkpoint with the new log start is durable", async () => {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("store", { storage: disk, segmentBytes: 100 });
  for (const value of ["a", "b", "c"]) await store.append(null, value);
  disk.onMutation = ({ kind, path }) => {
    if (kind === "syncDirectory" && path === "store/0") disk.stop();
  };
  expect(await codeOf(store.deleteRecords(0, 1))).toBe("STORAGE_FAILED");
  const afterwards = disk.processKill();
  afterwards.onMutation = ({ kind, path }) => {
    if (kind === "remove" && path === LOG) afterwards.stop();
  };
  await LogStore.open("store", { storage: afterwards }).catch(() => {});
  for (let seed = 0; seed < 20; seed++) {
    const again = await LogStore.open("store", { storage: afterwards.powerCut("keep-some", seed) });
    expect(again.recovery.map(({ damage }) => damage?.message)).toEqual([]);
  }
});

/**
 * A store whose next append rolls a segment that has preallocated zeros after its three records.
 */
async function withZerosAhead() {
  const disk = new SimulatedDisk();
  const store = await LogStore.open("store", { storage: disk, segmentBytes: 250 });
  for (const value of ["a", "b", "c"]) await store.append(null, value);
  expect(disk.content(LOG).at(-1)).toBe(0);
  return { disk, store };
}

// The preallocated zeros of a finished segment are truncated, and the truncation is synced in the
// background. A power failure may undo the truncation and leave an empty next segment. If recovery
// kept the zeros, readers would reach them once a checkpoint lies beyond them.
test("zeros that a power cut restores in a finished segment are truncated again", async () => {
  const { disk, store } = await withZerosAhead();
  disk.onMutation = ({ kind, path }) => {
    if (kind === "syncDirectory" && path === "store/0") disk.stop();
  };
  expect(await codeOf(store.append(null, "d"))).toBe("STORAGE_FAILED");
  for (let seed = 0; seed < 20; seed++) {
    const afterwards = disk.powerCut("keep-some", seed);
    const recovered = await LogStore.open("store", { storage: afterwards });
    await recovered.append(null, "d");
    await recovered.close();
    const again = await LogStore.open("store", { storage: afterwards });
    expect(await values(again)).toEqual(["a", "b", "c", "d"]);
  }
});

// The same after kill -9: the truncation is visible, so that recovery finds nothing to do, but a
// later power failure may undo it.
test("recovery makes the truncation of a finished segment durable", async () => {
  const { disk, store } = await withZerosAhead();
  disk.onMutation = ({ kind, path }) => {
    if (kind === "write" && path.endsWith("3.log")) disk.stop();
    return kind === "sync" && path === LOG ? new Promise(() => {}) : undefined; // the sync never completes
  };
  void store.append(null, "d").catch(() => {});
  while (!disk.isStopped) await new Promise((resolve) => setImmediate(resolve));
  const afterwards = disk.processKill();
  const recovered = await LogStore.open("store", { storage: afterwards });
  await recovered.append(null, "e");
  await recovered.close();
  const again = await LogStore.open("store", { storage: afterwards.powerCut("drop-all") });
  expect(await values(again)).toEqual(["a", "b", "c", "d", "e"]);
});

// The first open renamed store.json into place and failed to make the name durable. A second one,
// which finds the file, must not hand out an identity that a power cut takes away.
test("the identity of an open store survives a power cut, although an earlier open could not sync it", async () => {
  const disk = new SimulatedDisk();
  let isRenamed = false;
  disk.onMutation = ({ kind, path }) => {
    isRenamed ||= kind === "rename" && path === "store/store.json";
  };
  disk.failAt(1, "EIO", { when: ({ kind, path }) => isRenamed && kind === "syncDirectory" && path === "store" });
  expect(await codeOf(LogStore.open("store", { storage: disk }))).toBe("STORAGE_FAILED");
  const { id } = await LogStore.open("store", { storage: disk });
  const afterwards = await LogStore.open("store", { storage: disk.powerCut("drop-all") });
  expect(afterwards.id).toBe(id);
});
