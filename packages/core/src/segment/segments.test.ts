/** Rolling, the sparse index as a cache that may be damaged, and look-ups by time. */
import { appendFileSync, copyFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, range, values } from "../../test/records.js";
import { crashCopy, temporaryDirectory } from "../../test/temporary-directory.js";
import { LogStore, type LogStoreOptions, MemoryStorage } from "../index.js";

async function open(directory: string, options: LogStoreOptions = {}): Promise<LogStore> {
  const store = await LogStore.open(directory, options);
  onTestFinished(() => store.close());
  return store;
}

test.each([75, 200, 300, 1000, 4096])(
  "segments of %d bytes: names, lengths, reading across, reopening",
  async (segmentBytes) => {
    const directory = temporaryDirectory();
    const store = await open(directory, { segmentBytes });
    const all = range(60);
    await appendOneByOne(store, all);
    for (let from = 0; from <= 60; from++) expect(await values(store, 0, from)).toEqual(all.slice(from));
    await store.close();
    const logs = readdirSync(join(directory, "0"))
      .filter((name) => name.endsWith(".log"))
      .sort();
    const perSegment = Math.max(1, Math.floor(segmentBytes / 78));
    expect(logs.length).toBeGreaterThanOrEqual(Math.floor(60 / (perSegment + 1)));
    for (const log of logs) {
      expect(log).toMatch(/^\d{20}\.log$/);
      const { length } = readFileSync(join(directory, "0", log));
      expect(length <= segmentBytes || segmentBytes < 76).toBe(true);
      expect(readdirSync(join(directory, "0"))).toContain(log.replace(".log", ".index"));
    }
    const again = await open(directory, { segmentBytes });
    for (let from = 0; from <= 60; from += 7) expect(await values(again, 0, from)).toEqual(all.slice(from));
    expect((await again.append(null, "more")).offset).toBe(60);
  },
);

test("a batch larger than a segment gets a segment of its own", async () => {
  const store = await open(":memory:", { segmentBytes: 200 });
  const large = "x".repeat(5000);
  await appendOneByOne(store, ["a", large, "b", large]);
  expect(await values(store)).toEqual(["a", large, "b", large]);
});

/** A closed store of three segments, each with several index entries. */
async function indexed(): Promise<{ directory: string; all: string[]; indexes: string[] }> {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory, { segmentBytes: 100_000, durability: "written" });
  const all = range(80).map((value) => value.padEnd(3000, "."));
  await appendOneByOne(store, all);
  await store.close();
  const names = readdirSync(join(directory, "0")).sort();
  const indexes = names.filter((name) => name.endsWith(".index")).map((name) => join("0", name));
  expect(indexes).toHaveLength(3);
  return { directory, all, indexes };
}

async function checkReads(directory: string, all: readonly string[]): Promise<void> {
  const store = await LogStore.open(directory);
  for (const from of [0, 1, 5, 6, 31, 32, 33, 50, 64, 79].filter((offset) => offset < all.length))
    expect(await values(store, 0, from)).toEqual(all.slice(from));
  expect(await values(store, 0, { time: 0 })).toEqual(all);
  await store.close();
}

test("an index that is missing, truncated, damaged, or of another segment is rebuilt", async () => {
  const { directory, all, indexes } = await indexed();
  await checkReads(directory, all);
  for (const [i, index] of indexes.entries()) {
    const path = join(directory, index);
    const content = readFileSync(path);
    const damages: (() => void)[] = [
      () => rmSync(path),
      () => writeFileSync(path, ""),
      () => copyFileSync(join(directory, indexes[(i + 1) % 3]!), path),
      () => appendFileSync(path, "more"),
    ];
    for (let size = 1; size < content.length; size += 13) damages.push(() => truncateSync(path, size));
    for (let byte = 0; byte < content.length; byte += 3)
      damages.push(() =>
        writeFileSync(
          path,
          content.map((value, at) => (at === byte ? value ^ 1 : value)),
        ),
      );
    for (const damage of damages) {
      damage();
      await checkReads(directory, all);
      writeFileSync(path, content);
    }
  }
});

test("an index of a shorter log is not trusted", async () => {
  const directory = temporaryDirectory();
  const all = range(20).map((value) => value.padEnd(3000, "."));
  const first = await LogStore.open(directory);
  await appendOneByOne(first, all.slice(0, 7));
  await first.close();
  const index = join(directory, "0", "00000000000000000000.index");
  const stale = readFileSync(index);
  const second = await LogStore.open(directory);
  await appendOneByOne(second, all.slice(7));
  await second.close();
  writeFileSync(index, stale);
  await checkReads(directory, all);
  const crashed = await LogStore.open(directory);
  await crashed.append(null, "crashed");
  const copy = crashCopy(directory);
  await crashed.close();
  await checkReads(copy, [...all, "crashed"]);
});

test("an index of a longer log is not trusted", async () => {
  const directory = temporaryDirectory();
  const first = await LogStore.open(directory);
  const all = range(20).map((value) => value.padEnd(3000, "."));
  await appendOneByOne(first, all.slice(0, 7));
  await first.close();
  const old = ["00000000000000000000.log", "checkpoint"].map((name) => join(directory, "0", name));
  const contents = old.map((path) => readFileSync(path));
  const second = await LogStore.open(directory);
  await appendOneByOne(second, all.slice(7));
  await second.close();
  for (const [i, path] of old.entries()) writeFileSync(path, contents[i]!); // as restored from a backup without indexes
  const third = await LogStore.open(directory);
  const others = range(20, "w").map((value) => value.padEnd(4000, "."));
  await appendOneByOne(third, others);
  for (let from = 0; from < 27; from++)
    expect(await values(third, 0, from)).toEqual([...all.slice(0, 7), ...others].slice(from));
  await third.close();
});

test("an index of another segment of exactly the same length is not trusted", async () => {
  const directory = temporaryDirectory();
  const store = await LogStore.open(directory, { segmentBytes: 71_000 });
  const [short, long] = [range(8).map((v) => v.padEnd(3000, ".")), range(5).map((v) => v.padEnd(9000, "."))];
  const all = [...short, ...long, ...long, ...short];
  await appendOneByOne(store, all);
  await store.close();
  const logs = ["00000000000000000000", "00000000000000000013"].map((name) => join(directory, "0", name));
  expect(readFileSync(`${logs[0]}.log`).length).toBe(readFileSync(`${logs[1]}.log`).length);
  copyFileSync(`${logs[0]}.index`, `${logs[1]}.index`);
  const again = await open(directory);
  for (let from = 0; from < all.length; from++) expect(await values(again, 0, from)).toEqual(all.slice(from));
});

async function timed(segmentBytes: number) {
  const storage = new HookedStorage(new MemoryStorage());
  const store = await open("store", { storage, segmentBytes });
  const appendAt = async (time: number, ...all: string[]) => {
    storage.time = time;
    await appendOneByOne(store, all);
  };
  return { storage, store, appendAt };
}

const firstFrom = async (store: LogStore, time: number) => (await values(store, 0, { time }))[0];

test.each([75, 250, 100_000])("seek by time: rising and equal times, segments of %d bytes", async (segmentBytes) => {
  const { storage, store, appendAt } = await timed(segmentBytes);
  await appendAt(1000, "a", "b");
  await appendAt(2000, ...range(9));
  await appendAt(2001, "c");
  await appendAt(5000, "d");
  for (const home of [store, await LogStore.open("store", { storage: storage.inner })]) {
    for (const time of [-5, 0, 999, 1000]) expect(await firstFrom(home, time)).toBe("a");
    for (const time of [1001, 1999, 2000]) expect(await firstFrom(home, time)).toBe("v0");
    expect(await firstFrom(home, 2001)).toBe("c");
    for (const time of [2002, 5000]) expect(await firstFrom(home, time)).toBe("d");
    for (const time of [5001, 9e15]) expect(await firstFrom(home, time)).toBeUndefined();
  }
});

test("seek by time in a long segment of equal times", async () => {
  const { storage, store, appendAt } = await timed(10_000_000);
  const large = range(60).map((value) => value.padEnd(2000, "."));
  await appendAt(1000, "a");
  await appendAt(2000, ...large);
  await appendAt(3000, ...large);
  await store.close();
  const again = await open("store", { storage: storage.inner });
  expect((await values(again, 0, { time: 2000 })).length).toBe(120);
  expect((await values(again, 0, { time: 2001 })).length).toBe(60);
  expect((await values(again, 0, { time: 3000 })).length).toBe(60);
});

test("a clock that jumps back: append times stay the same, offsets increase", async () => {
  const { storage, store, appendAt } = await timed(250);
  await appendAt(5000, "a");
  await appendAt(1000, "b", "c", "d");
  const times = async (of: LogStore) =>
    (await Array.fromAsync(of.read(0).batches())).map(({ appendTime }) => appendTime);
  expect(await times(store)).toEqual([5000, 5000, 5000, 5000]);
  const crashed = await LogStore.open("store", { storage });
  await appendOneByOne(crashed, ["e"]);
  expect(await times(crashed)).toEqual([5000, 5000, 5000, 5000, 5000]);
  await crashed.close();
  const again = await LogStore.open("store", { storage });
  await appendOneByOne(again, ["f"]);
  expect(await times(again)).toEqual([5000, 5000, 5000, 5000, 5000, 5000]);
  storage.time = 6000;
  await appendOneByOne(again, ["g"]);
  expect(await firstFrom(again, 5001)).toBe("g");
  expect(await firstFrom(again, 5000)).toBe("a");
  await again.close();
});
