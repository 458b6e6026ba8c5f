/** `store.json`: what a log store is, written once. A directory that has it is a log store. */
import { NotALogStoreError, UnsupportedFormatVersionError } from "@logstore/codec";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { LOCK_FILE, STORE_FILE, TEMPORARY_SUFFIX } from "./file-names.js";

export const STORE_FORMAT_VERSION = 1;

export interface StoreFile {
  readonly format: "logstore";
  readonly formatVersion: number;
  /** Random; tells one store from another that had the same name. */
  readonly id: string;
  readonly partitions: number;
  /** Name of the partitioner: it never changes. */
  readonly partitioner: string;
}

export function writeStoreFile(storage: Storage, directory: string, content: StoreFile): Promise<void> {
  return writeFileAtomically(storage, directory, STORE_FILE, Buffer.from(`${JSON.stringify(content, null, 2)}\n`));
}

/**
 * What a directory says of itself; undefined where it is empty, so that a store can be made in it.
 *
 * @throws NotALogStoreError where it holds something else
 * @throws UnsupportedFormatVersionError where a newer release made it
 */
export async function readStoreFile(storage: Storage, directory: string): Promise<StoreFile | undefined> {
  const content = await readWholeFile(storage, `${directory}/${STORE_FILE}`);
  if (content === undefined) {
    const names = (await storage.list(directory)) ?? [];
    const foreign = names.filter((name) => name !== LOCK_FILE && name !== STORE_FILE + TEMPORARY_SUFFIX);
    if (foreign.length === 0) return undefined;
    throw new NotALogStoreError(
      `${directory} holds ${foreign[0]} but no ${STORE_FILE}: it is not a log store; name an empty directory to make one`,
      { file: STORE_FILE },
    );
  }
  return checkStoreFile(directory, parseJson(content));
}

function checkStoreFile(directory: string, parsed: Partial<StoreFile> | undefined): StoreFile {
  if (parsed?.format !== "logstore" || !Number.isInteger(parsed.formatVersion)) {
    throw new NotALogStoreError(`${directory}/${STORE_FILE} is not a log store's: it is something else's, or damaged`, {
      file: STORE_FILE,
    });
  }
  if (parsed.formatVersion !== STORE_FORMAT_VERSION) {
    throw new UnsupportedFormatVersionError(
      `${directory} has store format version ${parsed.formatVersion}, and this release knows ${STORE_FORMAT_VERSION}: use a release that knows it`,
      { file: STORE_FILE, expected: STORE_FORMAT_VERSION, actual: parsed.formatVersion! },
    );
  }
  const { id, partitions, partitioner } = parsed;
  if (
    typeof id !== "string" ||
    typeof partitioner !== "string" ||
    !(Number.isSafeInteger(partitions) && partitions! > 0)
  ) {
    throw new NotALogStoreError(`${directory}/${STORE_FILE} is damaged: restore it from a copy`, { file: STORE_FILE });
  }
  return { format: "logstore", formatVersion: STORE_FORMAT_VERSION, id, partitions: partitions!, partitioner };
}

function parseJson(content: Uint8Array): Partial<StoreFile> | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(content));
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
