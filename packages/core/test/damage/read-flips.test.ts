/**
 * Every bit of a segment of 64 KiB is flipped under an open store, one at a time: a reader gets the
 * whole batches before it and an error with the position, but never wrong data. Without the cost of
 * opening, which dominates `flips.test.ts`, CI covers every bit.
 */
import { test } from "vitest";
import { LogStore } from "../../src/index.js";
import { eachCase, report } from "../cases.js";
import { FileImage } from "../file-image.js";
import { firstSeed, Random } from "../random.js";
import { checkNamed, checkSame } from "./check-damaged.js";
import { readBatches } from "./check-more.js";
import { LOG, sampleLog } from "./sample-log.js";

test("each bit, read from the preceding batch", { timeout: 24 * 3_600_000 }, async () => {
  const sample = await sampleLog(new Random(firstSeed));
  const { logs, files, batches, starts } = sample;
  const log = Uint8Array.from(logs.closed);
  const storage = new FileImage(files.closed);
  storage.files.set(LOG, log);
  const store = await LogStore.open("store", { storage });
  const total = 8 * log.length;
  const done = await eachCase({ total, every: 1, file: "test/damage/read-flips.test.ts" }, async (bit) => {
    const byte = bit >>> 3;
    const bad = starts.findLastIndex((start) => start <= byte);
    const first = Math.max(0, bad - 1);
    log[byte]! ^= 1 << (bit & 7);
    const { batches: read, error } = await readBatches(store, batches[first]!.baseOffset);
    log[byte]! ^= 1 << (bit & 7);
    checkSame(read, sample, first, bad, error);
    checkNamed(error, starts[bad]!, batches[bad]!.baseOffset);
  });
  report(`${done} of ${total} bits, read beneath an open store, CORE_SEED=${firstSeed}`);
  await store.close();
});
