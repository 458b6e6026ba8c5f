/**
 * A torn tail is truncated in an order that loses nothing if the power fails: the saved copy, its
 * name, the truncation, each durable before the next.
 */
import { expect, test } from "vitest";
import { LogStore } from "../../src/index.js";
import { HookedStorage } from "../hooked-storage.js";
import { appendOneByOne, range, values } from "../records.js";

const LOG = "store/0/00000000000000000000.log";

test.each(["closed", "crashed"])("a torn tail in a store that was %s before", async (state) => {
  const storage = new HookedStorage();
  const store = await LogStore.open("store", { storage });
  await appendOneByOne(store, range(3));
  if (state === "closed") await store.close();
  const file = await storage.inner.openFile(LOG, "write");
  await file.write([Buffer.from("half a batch")], await file.size());
  storage.calls.length = 0;
  const recovered = await LogStore.open("store", { storage });
  const made = storage.calls.filter(({ path }) => path === LOG || path.endsWith(".torn") || path === "store/0");
  expect(made.slice(0, 6).map(({ kind, path }) => `${kind} ${path.split(".").at(-1)}`)).toEqual([
    "createFile torn",
    "write torn",
    "sync torn",
    "syncDirectory store/0",
    "truncate log",
    "sync log",
  ]);
  expect(await values(recovered)).toEqual(range(3));
  await recovered.close();
});

test.each(["records", "an empty file"])(
  "%s that nobody is known to have synced are, when they are found",
  async (what) => {
    const storage = new HookedStorage();
    const store = await LogStore.open("store", { storage, durability: "written" });
    await appendOneByOne(store, range(3));
    if (what === "an empty file") {
      await store.close();
      await (await storage.inner.createFile("store/0/00000000000000000003.log")).close();
    }
    storage.calls.length = 0;
    const recovered = await LogStore.open("store", { storage });
    const synced = storage.calls.filter(({ kind }) => kind.startsWith("sync")).map(({ path }) => path);
    if (what === "records") expect(synced).toContain(LOG);
    expect(synced).toContain("store/0"); // makes the file's name durable, and that of a checkpoint that was just renamed
    await recovered.close();
  },
);
