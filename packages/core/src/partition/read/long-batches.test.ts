import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../../test/hooked-storage.js";
import { LogStore } from "../../index.js";

test("batches that are longer than a read are read once each, after the first", async () => {
  const storage = new HookedStorage();
  const writer = await LogStore.open("store", { storage });
  const lengths = [700_000, 600_000, 900_000, 10, 10, 800_000, 650_000];
  for (const length of lengths) await writer.append(null, "x".repeat(length));
  await writer.close();
  const store = await LogStore.open("store", { storage });
  onTestFinished(() => store.close());
  let reads = 0;
  storage.before = ({ kind, path }) => {
    if (kind === "read" && path.endsWith(".log")) reads++;
  };
  const records = await Array.fromAsync(store.read(0));
  expect(records.map(({ value }) => value.length)).toEqual(lengths);
  expect(reads).toBe(7); // the first twice, the two short ones together
});
