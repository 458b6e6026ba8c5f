/**
 * `store.json`: the identity of a log store, written once. A directory that contains it is a log
 * store.
 */
import { NotALogStoreError } from "@logstore/codec";
import type { Storage } from "../storage/storage.js";
import { STORE_FILE } from "./file-names.js";
import { type Marker, readMarker, writeMarker } from "./marker-file.js";

const STORE = { file: STORE_FILE, what: "a log store", format: "logstore", formatVersion: 1 } as const;

/** Properties of a store that never change. */
export interface StoreIdentity {
  /** Random; distinguishes the store from another one of the same name. */
  readonly id: string;
  readonly partitions: number;
  /** Name of the partitioner. */
  readonly partitioner: string;
}

export function writeStoreFile(storage: Storage, directory: string, store: StoreIdentity): Promise<void> {
  const { format, formatVersion } = STORE;
  return writeMarker(storage, directory, STORE_FILE, { format, formatVersion, ...store });
}

/**
 * Reads the identity of the store; undefined if the directory is empty, so that a store can be
 * created in it.
 *
 * @throws NotALogStoreError, UnsupportedFormatVersionError
 */
export async function readStoreFile(storage: Storage, directory: string): Promise<StoreIdentity | undefined> {
  const marker = await readMarker<Marker & StoreIdentity>(storage, directory, STORE);
  if (marker === undefined) return undefined;
  const { id, partitions, partitioner } = marker;
  if (
    typeof id === "string" &&
    typeof partitioner === "string" &&
    Number.isSafeInteger(partitions) &&
    partitions! > 0
  ) {
    return { id, partitions: partitions!, partitioner };
  }
  throw new NotALogStoreError(`${directory}/${STORE_FILE} is damaged: restore it from a copy`, { file: STORE_FILE });
}
