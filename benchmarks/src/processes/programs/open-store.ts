/** Opens a store and closes it again. */
import { LogStore } from "@logstore/core";

export interface OpenReport {
  /** Duration of `LogStore.open` alone. */
  readonly openMs: number;
  readonly endOffset: number;
}

const start = performance.now();
const store = await LogStore.open(process.argv[2]!);
const openMs = performance.now() - start;
const report: OpenReport = { openMs, endOffset: store.partition(0).endOffset };
await store.close();
console.log(JSON.stringify(report));
