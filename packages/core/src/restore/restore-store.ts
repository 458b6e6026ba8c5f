/**
 * Creates a log store from a snapshot, with the records at the same offsets. The snapshot itself
 * never changes, whatever happens to the store.
 */
import { NotALogStoreError } from "@logstore/codec";
import { baseOffsetsOf, CHECKPOINT_FILE, indexFileName, logFileName, partitionDirectory } from "../files/file-names.js";
import { readStoreFile, writeStoreFile } from "../files/store-file.js";
import { Pacer } from "../pacing/pacer.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import { copyFile, linkIfThere, linkOrCopy } from "../storage/link-or-copy.js";
import type { Storage } from "../storage/storage.js";

/** Resolves to the size of its log files in bytes, once everything is durable. */
export async function restoreStore(
  storage: Storage,
  snapshot: string,
  directory: string,
  signal: AbortSignal,
): Promise<number> {
  const identity = await readStoreFile(storage, snapshot);
  if (identity === undefined) throw new NotALogStoreError(`${snapshot} holds no log store to restore`);
  let sizeBytes = 0;
  const pacer = new Pacer(); // partitions without records never wait for the disk
  for (let partition = 0; partition < identity.partitions; partition++) {
    await pacer.pause();
    const [from, to] = [snapshot, directory].map((each) => `${each}/${partitionDirectory(partition)}`);
    sizeBytes += await restorePartition(storage, from!, to!, signal);
  }
  await writeStoreFile(storage, directory, { ...identity, id: storage.randomHex(16) });
  return sizeBytes;
}

async function restorePartition(storage: Storage, from: string, to: string, signal: AbortSignal): Promise<number> {
  const baseOffsets = baseOffsetsOf((await storage.list(from)) ?? []);
  const last = baseOffsets.at(-1);
  if (last === undefined) return 0;
  await storage.makeDirectory(to);
  let sizeBytes = 0;
  for (const baseOffset of baseOffsets) {
    signal.throwIfAborted();
    const name = logFileName(baseOffset);
    // The last segment will be written to, so it is copied.
    if (baseOffset === last) await copyFile(storage, `${from}/${name}`, `${to}/${name}`);
    else await linkOrCopy(storage, `${from}/${name}`, `${to}/${name}`);
    const index = indexFileName(baseOffset);
    await linkIfThere(storage, `${from}/${index}`, `${to}/${index}`);
    sizeBytes += await syncedSize(storage, `${to}/${name}`);
  }
  const checkpoint = await readWholeFile(storage, `${from}/${CHECKPOINT_FILE}`);
  if (checkpoint === undefined) await storage.syncDirectory(to);
  else await writeFileAtomically(storage, to, CHECKPOINT_FILE, checkpoint);
  return sizeBytes;
}

/** A snapshot that was copied there by hand may not be on disk yet. */
async function syncedSize(storage: Storage, path: string): Promise<number> {
  const file = await storage.openFile(path, "write");
  try {
    await file.sync();
    return await file.size();
  } finally {
    await file.close();
  }
}
