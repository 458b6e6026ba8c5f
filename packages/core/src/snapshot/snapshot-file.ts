/**
 * `snapshot.json`: declares a directory to be a snapshot of a topic, and describes its contents.
 * docs/format/snapshot.md lists its fields.
 */
import { NotALogStoreError } from "@logstore/codec";
import type { SnapshotDescription } from "@logstore/protocol";
import { SNAPSHOT_FILE } from "../files/file-names.js";
import { type Marker, readMarker, writeMarker } from "../files/marker-file.js";
import type { Storage } from "../storage/storage.js";

const SNAPSHOT = { file: SNAPSHOT_FILE, what: "a snapshot", format: "logstore-snapshot", formatVersion: 1 } as const;

export function writeSnapshotFile(storage: Storage, directory: string, snapshot: SnapshotDescription): Promise<void> {
  const { format, formatVersion } = SNAPSHOT;
  return writeMarker(storage, directory, SNAPSHOT_FILE, { format, formatVersion, ...snapshot });
}

/**
 * Returns undefined if the directory does not exist or is empty.
 *
 * @throws NotALogStoreError, UnsupportedFormatVersionError
 */
export async function readSnapshotFile(storage: Storage, directory: string): Promise<SnapshotDescription | undefined> {
  const marker = await readMarker<Marker & SnapshotDescription>(storage, directory, SNAPSHOT);
  if (marker === undefined) return undefined;
  const { topic, snapshot, createdAt, partitions, sizeBytes } = marker;
  const areWhole = [createdAt, sizeBytes].every(Number.isSafeInteger) && Array.isArray(partitions);
  if (typeof topic === "string" && typeof snapshot === "string" && areWhole) {
    return { topic, snapshot, createdAt: createdAt!, partitions: partitions!, sizeBytes: sizeBytes! };
  }
  const file = SNAPSHOT_FILE;
  throw new NotALogStoreError(`${directory}/${file} is damaged: restore it from a copy`, { file });
}
