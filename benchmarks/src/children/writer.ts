/**
 * Appends until a segment that it began is nearly full, says so, and goes on slowly until it is
 * killed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LogStore } from "@logstore/core";
import { batchOfRecords, record } from "../records.ts";

const SEGMENT_BYTES = 64 * 1024 * 1024; // the store's default
const store = await LogStore.open(process.argv[2]!, { durability: "written" });

/** Where the last batch begins in its segment. */
async function lastPosition(): Promise<number> {
  const { endOffset } = store.partition(0);
  return (await store.partition(0).slice(endOffset - 1, 1))!.position;
}

async function appendWhile(isWanted: (position: number) => boolean): Promise<void> {
  while (isWanted(await lastPosition())) {
    for (let i = 0; i < 10; i++) await store.appendMany(0, batchOfRecords);
  }
}

// The last checkpoint is where a segment begins, or where the store was closed. Recovery checks
// what is behind it: as much as there can be, where a segment is new to this process and nearly
// full.
await appendWhile((position) => position < 0.5 * SEGMENT_BYTES);
await appendWhile((position) => position >= 0.5 * SEGMENT_BYTES);
await appendWhile((position) => position < 0.95 * SEGMENT_BYTES);
process.send?.("full");
for (;;) {
  await store.append(record.key, record.value, { partition: 0 });
  await sleep(1);
}
