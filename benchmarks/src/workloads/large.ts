/** A log much larger than memory: no operation may cost more than on a small one. */
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { progress } from "../reports/progress.ts";
import type { Settings } from "../settings.ts";
import { figure, type Result } from "../statistics/result.ts";
import { rate } from "../statistics/rounds.ts";
import { buildStore } from "./large/build-store.ts";
import { lookups } from "./large/lookups.ts";
import { opening } from "./large/opening.ts";
import { readingThrough } from "./large/reading-through.ts";

const SMALL_BYTES = 10e6;
/** The records that killed writers add to the store, and a reserve. */
const SPARE_BYTES = 2e9;

export async function large({ directory, storeBytes, rounds }: Settings): Promise<Result[]> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < storeBytes + SPARE_BYTES) {
    throw new Error(`${directory} has no room for ${storeBytes} bytes: name another disk, or fewer --store-bytes`);
  }
  const [big, small] = [join(directory, "large"), join(directory, "small")];
  progress(`building a store of ${storeBytes.toLocaleString("en")} bytes`);
  const built = await buildStore(big, storeBytes);
  await buildStore(small, SMALL_BYTES);
  const results = [figure({ title: "build: appendMany, written", unit: "records/s" }, [rate(built)])];
  progress("looking records up");
  results.push(...(await lookups(big, small, rounds)));
  progress("reading it through");
  results.push(...(await readingThrough(big, rounds)));
  progress("opening it, and killing those who write to it");
  results.push(...(await opening(big, rounds)));
  return results;
}
