/** The simulated disk as a storage, and the faults that it can simulate. */
import { expect, test } from "vitest";
import { firstSeed } from "../../test/random.js";
import { caught, codeOf } from "../../test/records.js";
import { type Call, faults, MachineStoppedError, powerCutOutcomes, Random, SimulatedDisk } from "./index.js";

async function written(disk: SimulatedDisk, path: string, ...bytes: number[]) {
  const file = await disk.createFile(path);
  await file.write([Uint8Array.from(bytes)], 0);
  return file;
}

async function diskWith(directory = "d") {
  const disk = new SimulatedDisk();
  await disk.makeParents(directory);
  await disk.makeDirectory(directory);
  return disk;
}

test("the seed determines all randomness, and the clock shows what it is set to", async () => {
  const [one, same, other] = [1, 1, 2].map((seed) => new SimulatedDisk({ seed }));
  const hex = one!.randomHex(8);
  expect(hex).toMatch(/^[0-9a-f]{16}$/);
  expect(same!.randomHex(8)).toBe(hex);
  expect(other!.randomHex(8)).not.toBe(hex);
  one!.time = 5;
  expect(one!.now()).toBe(5);
  expect(one!.powerCut("drop-all").now()).toBe(5);
});

test("a running clock goes on after a power cut", async () => {
  let time = 5;
  const disk = new SimulatedDisk({ clock: () => time });
  expect(disk.now()).toBe(5);
  time = 6;
  expect(disk.powerCut("drop-all").now()).toBe(6);
});

test("a synced file is lost if its name was not synced, and a synced name may refer to an empty file", async () => {
  const disk = await diskWith();
  await (await written(disk, "d/bytes", 1)).sync();
  expect(disk.powerCut("drop-all").paths()).toEqual([]);
  const again = await diskWith();
  await written(again, "d/name", 1);
  await again.syncDirectory("d");
  const afterwards = again.powerCut("drop-all");
  expect(afterwards.paths()).toEqual(["d/name"]);
  expect(afterwards.content("d/name").length).toBe(0);
});

test("makeDirectory creates a directory durably and nothing else; makeParents its parents, too", async () => {
  const disk = await diskWith("a");
  await written(disk, "a/f", 1);
  expect(await codeOf(disk.makeDirectory("a/b/c"))).toBe("ENOENT");
  await disk.makeParents("a/b/c");
  await disk.makeDirectory("a/b/c");
  const afterwards = disk.powerCut("drop-all");
  expect(await afterwards.list("a")).toEqual(["b"]);
  expect(await afterwards.list("a/b")).toEqual(["c"]);
  expect(await afterwards.list("a/b/c")).toEqual([]);
  expect(await afterwards.list("a/x")).toBeUndefined();
  expect(await codeOf(disk.makeDirectory("a/f"))).toBe("MACHINE_STOPPED");
  expect(await codeOf(afterwards.createFile("x/f"))).toBe("ENOENT");
});

test("creating an existing file truncates it, which a power cut can undo", async () => {
  const disk = await diskWith();
  await (await written(disk, "d/f", 1, 2, 3)).sync();
  await disk.syncDirectory("d");
  await disk.createFile("d/f");
  expect(disk.content("d/f").length).toBe(0);
  expect(disk.durableContent("d/f")).toEqual(Uint8Array.of(1, 2, 3));
  expect(disk.powerCut("drop-all").content("d/f")).toEqual(Uint8Array.of(1, 2, 3));
});

test("a removed name comes back unless the directory was synced", async () => {
  const disk = await diskWith();
  disk.replaceContent("d/f", Uint8Array.of(1));
  disk.replaceContent("d/g", Uint8Array.of(1));
  await disk.remove("d/f");
  await disk.remove("d/never");
  expect(disk.paths()).toEqual(["d/g"]);
  const before = disk.copy();
  await disk.syncDirectory("d");
  expect(before.powerCut("drop-all").paths()).toEqual(["d/f", "d/g"]);
  expect(disk.powerCut("drop-all").paths()).toEqual(["d/g"]);
});

test("a directory is renamed and removed with its contents; a crash may leave some of them", async () => {
  const disk = await diskWith("d/old/deep");
  for (const path of ["d/old/f", "d/old/g", "d/old/deep/h"]) disk.replaceContent(path, Uint8Array.of(1));
  await disk.makeDirectory("d/full");
  expect(await codeOf(disk.rename("d/old", "d/full"))).toBe("ENOTEMPTY");
  await disk.rename("d/old", "d/new");
  await disk.syncDirectory("d");
  expect(disk.paths()).toEqual(["d/new/deep/h", "d/new/f", "d/new/g"]);
  await disk.removeDirectory("d/new");
  await disk.removeDirectory("d/new");
  expect(disk.paths()).toEqual([]);
  const left = new Set(Array.from({ length: 100 }, (_, seed) => disk.powerCut("keep-some", seed).paths().length));
  expect(left).toEqual(new Set([0, 1, 2, 3]));
});

test("a rename between directories is durable when either is synced", async () => {
  for (const synced of ["a", "b"]) {
    const disk = await diskWith("a");
    await disk.makeDirectory("b");
    await written(disk, "a/f", 1);
    await disk.rename("a/f", "b/g");
    await disk.syncDirectory(synced);
    expect(disk.powerCut("drop-all").paths()).toEqual(["b/g"]);
  }
});

test("files opened before a power cut or a kill never touch the disk afterwards", async () => {
  for (const end of [
    (disk: SimulatedDisk) => disk.powerCut("keep-some"),
    (disk: SimulatedDisk) => disk.processKill(),
  ]) {
    const disk = await diskWith();
    const file = await written(disk, "d/f", 1);
    await file.sync();
    await disk.syncDirectory("d");
    const lock = await disk.lock("d");
    expect(await codeOf(disk.lock("d"))).toBe("LOCKED");
    const afterwards = end(disk);
    for (const call of [
      () => file.write([Uint8Array.of(2)], 0),
      () => file.read(new Uint8Array(1), 0),
      () => file.sync(),
      () => file.close(),
      () => lock.release(),
      () => disk.list("d"),
    ]) {
      expect(await caught(call())).toBeInstanceOf(MachineStoppedError);
    }
    expect(afterwards.content("d/f")).toEqual(Uint8Array.of(1));
    await (await afterwards.lock("d")).release();
    await afterwards.lock("d");
  }
});

test("after kill -9 everything can be read, and may still be lost in a power cut", async () => {
  const disk = await diskWith();
  await written(disk, "d/f", 1);
  const afterwards = disk.processKill();
  expect(afterwards.content("d/f")).toEqual(Uint8Array.of(1));
  expect(afterwards.powerCut("drop-all").paths()).toEqual([]);
});

test("a copy and its original do not see each other's changes", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f", 1, 1);
  const copy = disk.copy();
  await file.write([Uint8Array.of(2)], 0);
  const copied = await copy.openFile("d/f", "write");
  await copied.write([Uint8Array.of(3)], 1);
  expect([disk.content("d/f"), copy.content("d/f")]).toEqual([Uint8Array.of(2, 1), Uint8Array.of(1, 3)]);
});

test("a file that is closed, or open for reading, accepts no writes", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f", 1);
  const reader = await disk.openFile("d/f", "read");
  expect(disk.openFileCount).toBe(2);
  expect(await codeOf(reader.write([Uint8Array.of(2)], 0))).toBe("EBADF");
  await file.close();
  expect(disk.openFileCount).toBe(1);
  expect(await codeOf(file.write([Uint8Array.of(2)], 0))).toBe("EBADF");
  expect(await codeOf(file.close())).toBe("EBADF");
});

test("the machine stops at the k-th mutating call, whose change may survive or not", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f", 1);
  await file.sync();
  await disk.syncDirectory("d");
  disk.stopAt(2);
  await file.write([Uint8Array.of(2)], 0);
  expect(await codeOf(file.write([Uint8Array.of(3)], 0))).toBe("MACHINE_STOPPED");
  expect(disk.isStopped).toBe(true);
  const found = new Set(Array.from({ length: 50 }, (_, seed) => disk.powerCut("keep-some", seed).content("d/f")[0]));
  expect(found).toEqual(new Set([1, 2, 3]));
});

test("a sync at which the machine stops makes nothing durable", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f", 1);
  await disk.syncDirectory("d");
  disk.stopAt(1);
  expect(await codeOf(file.sync())).toBe("MACHINE_STOPPED");
  expect(disk.powerCut("drop-all").content("d/f").length).toBe(0);
});

test("a sync covers what was written before it was called", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f", 1);
  await disk.syncDirectory("d");
  const goOn = Promise.withResolvers<void>();
  disk.onMutation = ({ kind }) => (kind === "sync" ? goOn.promise : undefined);
  const syncing = file.sync();
  await file.write([Uint8Array.of(2)], 1);
  goOn.resolve();
  await syncing;
  expect(disk.powerCut("drop-all").content("d/f")).toEqual(Uint8Array.of(1));
});

test("every call is recorded, and each change can be observed before it is durable", async () => {
  const disk = await diskWith();
  disk.calls.length = 0;
  const seen: Call[] = [];
  disk.onMutation = (call) => void seen.push(call);
  const before = disk.mutatingCallCount;
  const file = await written(disk, "d/f", 1);
  await file.size();
  await file.sync();
  await disk.list("d");
  expect(disk.calls.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    "createFile d/f",
    "write d/f",
    "size d/f",
    "sync d/f",
    "list d",
  ]);
  expect(seen.map(({ kind }) => kind)).toEqual(["createFile", "write", "sync"]);
  expect(disk.mutatingCallCount - before).toBe(3);
});

test.each(faults)("%s affects the chosen calls once, or all later ones, too", async (fault) => {
  for (const forGood of [false, true]) {
    const disk = await diskWith();
    const file = await written(disk, "d/f", 1);
    disk.failAt(2, fault, { when: ({ path }) => path.endsWith("f"), forGood });
    const outcomes: boolean[] = [];
    for (let round = 0; round < 3; round++) {
      for (const call of [
        () => disk.openFile("d/f", "read"),
        () => file.write([Uint8Array.of(1, 2)], 0),
        () => file.sync(),
      ]) {
        outcomes.push(
          await call().then(
            () => true,
            () => false,
          ),
        );
      }
    }
    const failed = outcomes.filter((isWell) => !isWell).length;
    if (forGood) expect(failed).toBeGreaterThan(1);
    else expect(failed).toBe(1);
    disk.mend();
    await file.sync();
  }
});

test("a short write writes some of the bytes", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f");
  disk.failAt(1, "short-write");
  expect(await codeOf(file.write([Uint8Array.of(1, 2), Uint8Array.of(3, 4)], 0))).toBe("ENOSPC");
  expect(disk.content("d/f")).toEqual(Uint8Array.of(1, 2));
});

test("no later sync makes the bytes of a failed sync durable, unless they are written again", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f", 1, 1);
  await disk.syncDirectory("d");
  disk.failAt(1, "failed-sync");
  expect(await codeOf(file.sync())).toBe("EIO");
  await file.sync();
  expect(disk.content("d/f")).toEqual(Uint8Array.of(1, 1));
  const killed = disk.processKill();
  const again = await killed.openFile("d/f", "write");
  await again.sync();
  expect(killed.content("d/f")).toEqual(Uint8Array.of(1, 1));
  expect(killed.durableContent("d/f").length).toBe(0);
  await again.write([Uint8Array.of(2)], 1);
  await again.sync();
  expect(killed.durableContent("d/f")).toEqual(Uint8Array.of(0, 2));
  const found = Array.from({ length: 50 }, (_, seed) => killed.powerCut("keep-some", seed).content("d/f").join());
  expect(new Set(found)).toEqual(new Set(["0,2", "1,2"]));
});

test("a truncation whose sync failed is made durable by the next one", async () => {
  const disk = await diskWith();
  disk.replaceContent("d/f", Uint8Array.of(1, 2, 3));
  const file = await disk.openFile("d/f", "write");
  await file.truncate(2);
  await file.write([Uint8Array.of(4)], 0);
  disk.failAt(1, "failed-sync");
  expect(await codeOf(file.sync())).toBe("EIO");
  expect(disk.durableContent("d/f")).toEqual(Uint8Array.of(1, 2, 3));
  await file.sync();
  expect(disk.durableContent("d/f")).toEqual(Uint8Array.of(1, 2));
});

test("flipBit changes one bit, durably", async () => {
  const disk = await diskWith();
  disk.replaceContent("d/f", Uint8Array.of(0, 0));
  disk.flipBit("d/f", 9);
  expect(disk.powerCut("drop-all").content("d/f")).toEqual(Uint8Array.of(0, 2));
  expect(() => disk.flipBit("d/f", 16)).toThrow(RangeError);
});

test("a watcher is notified of writes", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/f", 1);
  const heard = Promise.withResolvers<void>();
  const stop = await disk.watch("d/f", heard.resolve);
  await file.write([Uint8Array.of(2)], 0);
  await heard.promise;
  stop();
});

test(`agrees with a model that keeps whole images, CORE_SEED=${firstSeed}`, async () => {
  for (let seed = firstSeed; seed < firstSeed + 200; seed++) {
    try {
      await againstImages(new Random(seed));
    } catch (error) {
      throw new Error(`CORE_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

/**
 * Random changes of one file: what is visible, and what at least survives a power cut, agree with a
 * simple model.
 */
async function againstImages(random: Random): Promise<void> {
  const disk = await diskWith();
  const file = await disk.createFile("d/f");
  await disk.syncDirectory("d");
  let seen = new Uint8Array(0);
  let durable = seen;
  for (let step = 0; step < 40; step++) {
    const position = random.whole(0, 1500);
    const kind = random.oneOf(["write", "write", "write", "truncate", "sync"]);
    if (kind === "sync") {
      await file.sync();
      durable = seen;
    } else if (kind === "truncate") {
      await file.truncate(position);
      seen = resized(seen, position);
    } else {
      const bytes = random.bytes(random.whole(1, 700));
      await file.write([bytes.subarray(0, 10), bytes.subarray(10)], position);
      seen = resized(seen, Math.max(seen.length, position + bytes.length));
      seen.set(bytes, position);
    }
    expect(disk.content("d/f")).toEqual(seen);
    expect(disk.durableContent("d/f")).toEqual(durable);
    if (random.chance(0.1)) {
      disk.copy().powerCut(random.oneOf(powerCutOutcomes), random.seed());
      expect(disk.copy().powerCut("drop-all").content("d/f")).toEqual(durable);
    }
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

test("a linked file is one file with two names: its bytes and their durability are the same by both", async () => {
  const disk = await diskWith();
  const file = await written(disk, "d/one", 1, 2);
  await disk.syncDirectory("d");
  await disk.link("d/one", "d/two");
  expect(await codeOf(disk.link("d/one", "d/two"))).toBe("EEXIST");
  expect(await codeOf(disk.link("d/none", "d/three"))).toBe("ENOENT");
  await file.write([Uint8Array.of(3)], 0);
  expect(disk.content("d/two")).toEqual(Uint8Array.of(3, 2));
  await (await disk.openFile("d/two", "write")).sync();
  // The name is lost, but nothing else.
  const found = disk.copy().powerCut("drop-all");
  expect(found.paths()).toEqual(["d/one"]);
  expect(found.content("d/one")).toEqual(Uint8Array.of(3, 2));
  await disk.syncDirectory("d");
  await disk.remove("d/one");
  await disk.syncDirectory("d");
  await (await disk.openFile("d/two", "write")).truncate(1);
  const left = disk.powerCut("drop-all");
  expect(left.paths()).toEqual(["d/two"]);
  expect(left.content("d/two")).toEqual(Uint8Array.of(3, 2));
});

test("a disk that writes at once does so without a promise", async () => {
  const disk = await diskWith();
  expect((await written(disk, "d/before", 1)).writeNow!([Uint8Array.of(2)], 1)).toBe(false);
  disk.writesNow = true;
  const file = await written(disk, "d/f", 1);
  expect(file.writeNow!([Uint8Array.of(2), Uint8Array.of(3)], 1)).toBe(true);
  expect([...disk.content("d/f")]).toEqual([1, 2, 3]);
  disk.failAt(1, "short-write");
  expect(() => file.writeNow!([Uint8Array.of(4, 5)], 3)).toThrow(/ENOSPC/);
  expect([...disk.content("d/f")]).toEqual([1, 2, 3, 4]);
  disk.stopAt(1);
  expect(() => file.writeNow!([Uint8Array.of(6)], 3)).toThrow(MachineStoppedError);
  expect([...disk.content("d/f")]).toEqual([1, 2, 3, 6]);
});
