/** `broker.json`: declares a directory to be a broker's data directory. */
import { BROKER_FILE } from "../files/file-names.js";
import { readMarker, writeMarker } from "../files/marker-file.js";
import type { Storage } from "../storage/storage.js";

const BROKER = {
  file: BROKER_FILE,
  what: "a broker's data directory",
  format: "logstore-broker",
  formatVersion: 1,
} as const;

/**
 * Returns whether the directory belongs to a broker; false if it is empty or missing.
 *
 * @throws NotALogStoreError, UnsupportedFormatVersionError
 */
export async function isBrokerDirectory(storage: Storage, directory: string): Promise<boolean> {
  return (await readMarker(storage, directory, BROKER)) !== undefined;
}

export function makeBrokerDirectory(storage: Storage, directory: string): Promise<void> {
  const { format, formatVersion } = BROKER;
  return writeMarker(storage, directory, BROKER_FILE, { format, formatVersion });
}
