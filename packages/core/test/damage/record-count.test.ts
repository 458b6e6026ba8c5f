/**
 * The checksum that a reader checks first does not cover the record count. A flipped one once made
 * the reader mistake the batches after it for ones before the requested offset, and skip everything
 * found until then.
 */
import { frameBatches } from "@logstore/codec";
import { expect, test } from "vitest";
import { LogStore, MemoryStorage } from "../../src/index.js";
import { FileImage, imageOf } from "../file-image.js";
import { appendOneByOne, range, valuesUntilError } from "../records.js";

const LOG = "0/00000000000000000000.log";
const RECORD_COUNT = 60;

test.each([1, 2, 3, 4])("a record count with bit %d flipped", async (bit) => {
  const storage = new MemoryStorage();
  const store = await LogStore.open("store", { storage });
  const all = range(40, "a value long enough to be as many records as its batch then claims ".repeat(2));
  await appendOneByOne(store, all);
  await store.close();
  const files = await imageOf(storage, "store", "store");
  const log = files.get(`store/${LOG}`)!;
  const [first] = frameBatches(log);
  const byte = 3 * first!.byteLength;
  log[byte + RECORD_COUNT]! ^= 1 << bit;
  const rotten = await LogStore.open("store", { storage: new FileImage(files) });
  expect(await valuesUntilError(rotten)).toMatchObject({
    read: all.slice(0, 3),
    error: { code: "CORRUPT_PARTITION", partition: 0, file: LOG, byte, offset: 3 },
  });
  await rotten.close();
});
