import { expect, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, range } from "../../test/records.js";
import { LogStore } from "../index.js";

test.each([
  [0, 2],
  [-1, 1],
  [1, 2],
])("segments of two batches and %d bytes hold %d", async (more, batches) => {
  const storage = new HookedStorage();
  const one = await LogStore.open("one", { storage });
  await appendOneByOne(one, ["v"]);
  const { length } = (await one.partition(0).slice(0, 1000))!;
  await one.close();
  const store = await LogStore.open("store", { storage, segmentBytes: 2 * length + more });
  await appendOneByOne(store, range(4).fill("v"));
  const logs = ((await storage.list("store/0")) ?? []).filter((name) => name.endsWith(".log"));
  expect(logs.map((name) => Number.parseInt(name, 10))).toEqual(batches === 2 ? [0, 2] : [0, 1, 2, 3]);
  await store.close();
});
