/** Repairs the damaged partitions of an open store, one after another. */
import type { Watermarks } from "../files/watermarks-file.js";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import { planRepair, type RepairAction, repairLog } from "../partition/upkeep/repair-log.js";
import type { VerifyFinding } from "../partition/upkeep/verify-log.js";
import type { Storage } from "../storage/storage.js";
import { withStorageErrors } from "../storage/storage-error.js";

export interface RepairedStore {
  /** Number of partitions. */
  readonly partitions: number;
  readonly storage: Storage;
  readonly watermarks: Watermarks;
  /** Returns a partition; reopens it if it was closed for the repair. */
  readonly reopened: (partition: number) => Promise<FilePartitionLog>;
  readonly signal: AbortSignal;
}

export async function repairStore(store: RepairedStore, dryRun: boolean): Promise<RepairAction[]> {
  const done: RepairAction[] = [];
  for (let partition = 0; partition < store.partitions; partition++) {
    store.signal.throwIfAborted();
    const actions = await withStorageErrors(`partition ${partition} cannot be repaired`, () =>
      repairPartition(store, partition, dryRun),
    );
    done.push(...actions);
  }
  return done;
}

async function repairPartition(
  { storage, watermarks, reopened }: RepairedStore,
  partition: number,
  dryRun: boolean,
): Promise<RepairAction[]> {
  const log = await reopened(partition);
  const findings: VerifyFinding[] = [];
  for await (const event of log.verify()) if (event.type === "finding") findings.push(event);
  const actions = planRepair(findings, log.offsets.logEnd, storage.randomHex(4));
  if (dryRun || actions.length === 0) return actions;
  await log.close();
  await repairLog(log.home, actions);
  const { bounds } = await reopened(partition);
  if (bounds !== undefined) await watermarks.set(partition, bounds);
  return actions;
}
