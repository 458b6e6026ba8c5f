/** A log much larger than memory: no operation may cost more than on a small one. */
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { progress } from "../reports/progress.ts";
import type { Settings } from "../settings.ts";
import { figure, type Result } from "../statistics/result.ts";
import { rate } from "../statistics/rounds.ts";
import { buildStore, type SizedStore } from "./large/build-store.ts";
import { lookups } from "./large/lookups.ts";
import { opening, openingBySize } from "./large/opening.ts";
import { readingThrough } from "./large/reading-through.ts";

const SMALLER_BYTES = [10e6, 100e6, 1e9];
/** The records that killed writers add to the store, and a reserve. */
const SPARE_BYTES = 2e9;

export async function large({ directory, storeBytes, rounds }: Settings): Promise<Result[]> {
  const sizes = [...SMALLER_BYTES.filter((bytes) => bytes < storeBytes), storeBytes];
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < sizes.reduce((sum, bytes) => sum + bytes, SPARE_BYTES)) {
    throw new Error(`${directory} has no room for ${storeBytes} bytes: name another disk, or fewer --store-bytes`);
  }
  const stores: SizedStore[] = [];
  let builtAt = 0;
  for (const bytes of sizes) {
    const size = bytes < 1e9 ? `${bytes / 1e6} MB` : `${bytes / 1e9} GB`;
    progress(`building a store of ${size}`);
    const store = { size, directory: join(directory, size.replace(" ", "-")) };
    builtAt = rate(await buildStore(store.directory, bytes));
    stores.push(store);
  }
  const big = stores.at(-1)!.directory;
  const results = [figure({ title: "build: appendMany, written", unit: "records/s" }, [builtAt])];
  progress("looking records up");
  results.push(...(await lookups(stores, rounds)));
  progress("reading it through");
  results.push(...(await readingThrough(big, rounds)));
  progress("opening them, and killing those who write to the largest");
  results.push(...(await openingBySize(stores, rounds)), ...(await opening(big, rounds)));
  return results;
}
