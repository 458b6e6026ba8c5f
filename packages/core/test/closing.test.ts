/** What closing a store waits for, and the order of its steps. */
import { expect, test } from "vitest";
import { LogStore } from "../src/index.js";
import { HookedStorage } from "./hooked-storage.js";
import { appendOneByOne, codeOf, range, values } from "./records.js";

const LOG = "store/0/00000000000000000000.log";

test("the log is durable before a checkpoint covers it", async () => {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage, durability: "written" });
  await appendOneByOne(store, range(3));
  storage.calls.length = 0;
  await store.close();
  const calls = storage.calls.map(({ kind, path }) => `${kind} ${path}`);
  expect(calls).toContain(`sync ${LOG}`);
  expect(calls.indexOf(`sync ${LOG}`)).toBeLessThan(calls.indexOf("createFile store/0/checkpoint.tmp"));
});

test("a file is not closed while it is being read, because its descriptor could be reused", async () => {
  const storage = new HookedStorage();
  const first = await LogStore.open("store", { storage });
  await appendOneByOne(first, range(3));
  await first.close();
  const store = await LogStore.open("store", { storage });
  const begun = Promise.withResolvers<void>();
  const goesOn = Promise.withResolvers<void>();
  storage.before = async ({ kind, path }) => {
    if (kind !== "read" || path !== LOG) return;
    begun.resolve();
    await goesOn.promise;
  };
  const read = values(store).catch(() => []);
  await begun.promise;
  const closing = store.close();
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(storage.openFiles).toBe(2); // the log and the watermarks file
  goesOn.resolve();
  await Promise.all([read, closing]);
  expect(storage.openFiles).toBe(0);
  expect(await codeOf(values(store))).toBe("CLOSED");
});
