/** `broker.json`: what makes a directory a broker's data directory. */
import { NotALogStoreError, UnsupportedFormatVersionError } from "@logstore/codec";
import { LOCK_FILE, TEMPORARY_SUFFIX } from "../files/file-names.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";

const BROKER_FILE = "broker.json";
const FORMAT = "logstore-broker";
const FORMAT_VERSION = 1;

/**
 * Whether the directory is a broker's; false where it is empty or missing.
 *
 * @throws NotALogStoreError, UnsupportedFormatVersionError
 */
export async function isBrokerDirectory(storage: Storage, directory: string): Promise<boolean> {
  const content = await readWholeFile(storage, `${directory}/${BROKER_FILE}`);
  if (content === undefined) {
    const names = (await storage.list(directory)) ?? [];
    const foreign = names.find((name) => name !== LOCK_FILE && name !== BROKER_FILE + TEMPORARY_SUFFIX);
    if (foreign === undefined) return false;
    throw new NotALogStoreError(
      `${directory} holds ${foreign} but no ${BROKER_FILE}: it is not a broker's data directory; name an empty one to make one`,
      { file: BROKER_FILE },
    );
  }
  const { format, formatVersion } = parse(content);
  if (format !== FORMAT || typeof formatVersion !== "number") {
    throw new NotALogStoreError(`${directory}/${BROKER_FILE} is not a broker's: it is something else's, or damaged`, {
      file: BROKER_FILE,
    });
  }
  if (formatVersion !== FORMAT_VERSION) {
    throw new UnsupportedFormatVersionError(
      `${directory} has broker format version ${formatVersion}, and this release knows ${FORMAT_VERSION}: use a release that knows it`,
      { file: BROKER_FILE, expected: FORMAT_VERSION, actual: formatVersion },
    );
  }
  return true;
}

export function makeBrokerDirectory(storage: Storage, directory: string): Promise<void> {
  const content = JSON.stringify({ format: FORMAT, formatVersion: FORMAT_VERSION }, null, 2);
  return writeFileAtomically(storage, directory, BROKER_FILE, Buffer.from(`${content}\n`));
}

function parse(content: Uint8Array): { format?: unknown; formatVersion?: unknown } {
  try {
    return Object(JSON.parse(new TextDecoder().decode(content)));
  } catch {
    return {};
  }
}
