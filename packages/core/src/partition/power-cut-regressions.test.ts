/** What the crash sweep found, each in the fewest steps. */
import { expect, test } from "vitest";
import { codeOf, values } from "../../test/records.js";
import { LogStore } from "../index.js";
import { SimulatedDisk } from "../testing/index.js";

const LOG = "store/0/00000000000000000000.log";

// Linux takes a page that it could not write for clean: the next sync, by recovery, succeeds and writes nothing. What recovery
// read there is on no disk, and the appends after it rest on it. Recovery has to write again what it cannot prove.
test.fails("what is acknowledged after a failed sync and a reopening survives a power cut", async () => {
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

// A sector may end right behind a batch's magic. What is in the version's place then is zero, or anything: no newer format.
test.fails.each([0, 142])(
  "a batch torn behind its magic, with %d where its version was, is a torn tail",
  async (version) => {
    const disk = new SimulatedDisk();
    const store = await LogStore.open("store", { storage: disk });
    await store.append(null, "a");
    const durable = disk.content(LOG);
    await store.append(null, "b", { durability: "written" });
    const torn = disk.content(LOG);
    torn.fill(version, durable.length + 3);
    const afterwards = disk.powerCut("drop-all");
    afterwards.replaceContent(LOG, torn);
    const recovered = await LogStore.open("store", { storage: afterwards });
    expect(recovered.recovery).toMatchObject([{ damage: undefined, tornTail: { byte: durable.length } }]);
    expect((await recovered.append(null, "c")).offset).toBe(1);
  },
);
