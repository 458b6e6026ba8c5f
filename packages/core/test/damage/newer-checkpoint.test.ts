/** An intact checkpoint of another format version is ignored, because its meaning is unknown. */
import { crc32c } from "@logstore/codec";
import { expect, test } from "vitest";
import { LogStore, MemoryStorage } from "../../src/index.js";
import { FileImage, imageOf } from "../file-image.js";
import { appendOneByOne, range, values } from "../records.js";

test.each([0, 2])("format version %d", async (formatVersion) => {
  const storage = new MemoryStorage();
  const store = await LogStore.open("store", { storage });
  await appendOneByOne(store, range(5));
  await store.close();
  const files = await imageOf(storage, "store", "store");
  const other = { formatVersion, recoveryPoint: 9, segment: 9, position: 9, lastAppendTime: 9, producers: [] };
  const json = Buffer.from(`${JSON.stringify(other)}\n`);
  const checksum = crc32c(json).toString(16).padStart(8, "0");
  files.set("store/0/checkpoint", Buffer.concat([json, Buffer.from(`${checksum}\n`)]));
  const again = await LogStore.open("store", { storage: new FileImage(files) });
  expect(again.recovery).toEqual([]);
  expect(await values(again)).toEqual(range(5));
  expect((await again.append(null, "more")).offset).toBe(5);
  await again.close();
});
