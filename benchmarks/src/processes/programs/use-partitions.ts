/** Opens a store of many partitions, idles, appends to each of them and reads each of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { LogStore } from "@logstore/core";
import { eachOf } from "../../workloads/each-of.ts";
import { record } from "../../workloads/records.ts";

export interface PartitionsReport {
  readonly openMs: number;
  readonly idleRssBytes: number;
  readonly appendMs?: number;
  readonly readMs?: number;
  /** The error that stopped it, if any. */
  readonly failure?: string;
}

const start = performance.now();
const store = await LogStore.open(process.argv[2]!, { durability: "written" });
let report: PartitionsReport = { openMs: performance.now() - start, idleRssBytes: await idleRss() };
try {
  report = { ...report, appendMs: await timeOf((partition) => store.append(null, record.value, { partition })) };
  report = { ...report, readMs: await timeOf(readFirst) };
} catch (error) {
  report = { ...report, failure: String(error) };
}
console.log(JSON.stringify(report));
await store.close();

/** Resident bytes after the garbage of opening has been collected. */
async function idleRss(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await sleep(100);
  }
  return process.memoryUsage.rss();
}

async function timeOf(work: (partition: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await eachOf(store.partitionCount, work);
  return performance.now() - start;
}

async function readFirst(partition: number): Promise<void> {
  for await (const { value } of store.read(partition)) {
    if (value.length === record.value.length) return;
  }
  throw new Error(`there is nothing in partition ${partition}`);
}
