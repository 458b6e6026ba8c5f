/** Reads a store from start to end, accessing every value, and samples the memory in use. */
import { LogStore } from "@logstore/core";

export interface ReadThroughReport {
  readonly records: number;
  readonly ms: number;
  readonly rssAfterOpenBytes: number;
  /** At equal steps of the log. */
  readonly rssBytes: readonly number[];
}

const SAMPLES = 400;
const [directory, what] = process.argv.slice(2);
const store = await LogStore.open(directory!);
const rssAfterOpenBytes = process.memoryUsage.rss();
const step = store.partition(0).endOffset / SAMPLES;
const rssBytes: number[] = [];
let records = 0;
let valueBytes = 0;
const sample = () => {
  if (records >= (rssBytes.length + 1) * step) rssBytes.push(process.memoryUsage.rss());
};

const start = performance.now();
if (what === "batches") {
  for await (const batch of store.read(0).batches()) {
    for (const cursor = batch.cursor(); cursor.next(); ) valueBytes += cursor.value.length;
    records += batch.recordCount;
    sample();
  }
} else {
  for await (const { value } of store.read(0)) {
    valueBytes += value.length;
    if (++records % 1_000 === 0) sample();
  }
}
const report: ReadThroughReport = { records, ms: performance.now() - start, rssAfterOpenBytes, rssBytes };
await store.close();
if (valueBytes === 0) throw new Error("nothing was read");
console.log(JSON.stringify(report));
