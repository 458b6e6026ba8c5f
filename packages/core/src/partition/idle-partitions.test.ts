/** A store may have thousands of partitions, most of which are not used between open and close. */
import { expect, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { values } from "../../test/records.js";
import { LogStore } from "../index.js";

/** The calls on the second partition of a store while `work` runs; both have a record. */
async function callsOnSecond(work: (storage: HookedStorage) => Promise<unknown>): Promise<string[]> {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, partitions: 2 });
  for (const partition of [0, 1]) await store.append(null, "a", { partition });
  await store.close();
  const calls: string[] = [];
  storage.before = ({ kind, path }) => {
    if (path === "store/1" || path.startsWith("store/1/")) calls.push(`${kind} ${path.slice("store/1".length)}`);
  };
  await work(storage);
  return calls.sort();
}

const LOG = `/${"0".repeat(20)}.log`;

test("opening a partition that was closed lists its directory once and reads its checkpoint only", async () => {
  const calls = await callsOnSecond((storage) => LogStore.open("store", { storage }));
  const others = calls.filter((call) => !/^(list|openFile|size|read|identify) /.test(call));
  expect(others).toEqual(["syncDirectory "]);
  expect(calls.filter((call) => /^(list|openFile|read) /.test(call))).toEqual([
    "list ",
    `openFile ${LOG}`,
    "openFile /checkpoint",
    "read /checkpoint",
  ]);
});

test("a partition that is not used is not written to, also when the store is closed", async () => {
  const calls = await callsOnSecond(async (storage) => {
    const store = await LogStore.open("store", { storage });
    await store.append(null, "b", { partition: 0 });
    await store.applyRetention();
    expect(await values(store, 1)).toEqual(["a"]);
    await store.close();
  });
  expect(calls.filter((call) => /^(write|createFile|rename|remove|truncate|sync) /.test(call))).toEqual([]);
});

test("a partition that was not used before can be appended to, deleted from and flushed", async () => {
  const storage = new HookedStorage();
  const first = await LogStore.open("store", { storage, partitions: 3 });
  for (const partition of [0, 1, 2]) await first.append(null, "a", { partition });
  await first.close();
  const store = await LogStore.open("store", { storage });
  expect((await store.append(null, "b", { partition: 0 })).offset).toBe(1);
  await store.deleteRecords(1, 1);
  await store.flush(2);
  await store.close();
  const again = await LogStore.open("store", { storage });
  expect(again.recovery).toEqual([]);
  expect(await values(again, 0)).toEqual(["a", "b"]);
  expect(again.partition(1).startOffset).toBe(1);
  await again.close();
  await expect(again.append(null, "c", { partition: 2 })).rejects.toMatchObject({ code: "CLOSED" });
});
