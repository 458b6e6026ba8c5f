/** Snapshots of the store: each stays as it was when it was made, whatever happens to the store. */
import assert from "node:assert/strict";
import { LogStore } from "../../src/index.js";
import type { SimulatedDisk } from "../../src/testing/index.js";
import type { SubmittedRecord } from "./history.js";

export const SNAPSHOTS = "snapshots";

export interface SnapshotHistory {
  /** Its directory. */
  readonly name: string;
  /** Undefined until it was acknowledged. */
  partitions: readonly { readonly start: number; readonly records: readonly SubmittedRecord[] }[] | undefined;
}

/** Every snapshot on the disk is complete. */
export async function checkSnapshots(disk: SimulatedDisk, snapshots: readonly SnapshotHistory[]): Promise<void> {
  const found = (await disk.list(SNAPSHOTS)) ?? [];
  for (const { name, partitions } of snapshots) {
    if (partitions === undefined || !found.some((each) => `${SNAPSHOTS}/${each}` === name)) continue;
    const store = await LogStore.openReadOnly(name, { storage: disk });
    for (const [partition, { start, records }] of partitions.entries()) {
      const { startOffset, endOffset } = store.partition(partition);
      assert.deepEqual([startOffset, endOffset], [start, start + records.length], `${name}, partition ${partition}`);
      const read = await Array.fromAsync(store.read(partition));
      assert.deepEqual(
        read.map(({ key, value }) => [key && Buffer.from(key), Buffer.from(value)]),
        records.map(({ key, value }) => [key, value]),
        `${name}, partition ${partition}`,
      );
    }
    await store.close();
  }
}
