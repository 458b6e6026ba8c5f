/**
 * A small JSON file that declares what a directory is, and the version of its format. A directory
 * without it belongs to something else.
 */
import { NotALogStoreError, UnsupportedFormatVersionError } from "@logstore/codec";
import { readWholeFile, TEMPORARY_SUFFIX, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { encodeJsonWithCrc, readJsonWithCrc } from "./checked-json.js";
import { isOfTheSystem } from "./file-names.js";

export interface Marker {
  readonly format: string;
  readonly formatVersion: number;
}

export interface MarkerKind extends Marker {
  /** Name of the file. */
  readonly file: string;
  /** What the directory is, for error messages: "a log store". */
  readonly what: string;
}

export function writeMarker(storage: Storage, directory: string, file: string, content: Marker): Promise<void> {
  return writeFileAtomically(storage, directory, file, encodeJsonWithCrc(content));
}

/**
 * Reads the marker; undefined if the directory is empty or missing, so that it can be initialized.
 *
 * @throws NotALogStoreError if the directory contains something else, or the marker is damaged
 * @throws UnsupportedFormatVersionError if a newer version created it
 */
export async function readMarker<Content extends Marker>(
  storage: Storage,
  directory: string,
  { file, what, format, formatVersion }: MarkerKind,
): Promise<(Marker & Partial<Content>) | undefined> {
  let content = await readWholeFile(storage, `${directory}/${file}`);
  if (content === undefined) {
    const names = (await storage.list(directory)) ?? [];
    const foreign = names.find((name) => !isOfTheSystem(name) && name !== file + TEMPORARY_SUFFIX);
    if (foreign === undefined) return undefined;
    // Another process may have initialized the directory since the first look. The marker is the
    // first file that it creates.
    content = await readWholeFile(storage, `${directory}/${file}`);
    if (content === undefined) {
      throw new NotALogStoreError(
        `${directory} holds ${foreign} but no ${file}: it is not ${what}; name an empty directory to make one`,
        { file },
      );
    }
  }
  const { fields, isIntact } = readJsonWithCrc(content) ?? { fields: {}, isIntact: false };
  const marker = fields as Partial<Marker & Content>;
  const { formatVersion: found } = marker;
  const isOurs = marker.format === format && Number.isInteger(found);
  // The layout of a newer version is unknown, including its checksum.
  if (!isOurs || (found === formatVersion && !isIntact)) {
    throw new NotALogStoreError(`${directory}/${file} does not mark ${what}: it is something else's, or damaged`, {
      file,
    });
  }
  if (found === formatVersion) return marker as Marker & Partial<Content>;
  throw new UnsupportedFormatVersionError(
    `${directory} has format version ${found}, and this release knows ${formatVersion}: use a release that knows it`,
    { file, expected: formatVersion, actual: found },
  );
}
