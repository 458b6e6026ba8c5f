/**
 * Appends until a segment that it started is nearly full, reports that, and continues slowly until
 * it is killed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LogStore } from "@logstore/core";
import { batchOfRecords, record } from "../../workloads/records.ts";

const SEGMENT_BYTES = 64 * 1024 * 1024; // the store's default
const store = await LogStore.open(process.argv[2]!, { durability: "written" });

/** Position of the last batch in its segment. */
async function lastPosition(): Promise<number> {
  const { endOffset } = store.partition(0);
  return (await store.partition(0).slice(endOffset - 1, 1))!.position;
}

async function appendWhile(isWanted: (position: number) => boolean): Promise<void> {
  while (isWanted(await lastPosition())) {
    for (let i = 0; i < 10; i++) await store.appendMany(0, batchOfRecords);
  }
}

// The last checkpoint is at the beginning of a segment, or where the store was closed. Recovery
// checks everything after it, which is the most possible if this process began the segment and it
// is nearly full.
await appendWhile((position) => position < 0.5 * SEGMENT_BYTES);
await appendWhile((position) => position >= 0.5 * SEGMENT_BYTES);
await appendWhile((position) => position < 0.95 * SEGMENT_BYTES);
process.send?.("full");
for (;;) {
  await store.append(record.key, record.value, { partition: 0 });
  await sleep(1);
}
