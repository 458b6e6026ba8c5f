/**
 * A small JSON file that says what a directory is, and in which version of its format. What lacks
 * it is something else's.
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
 * The marker's content; undefined where the directory is empty or missing, so that one can be made.
 *
 * @throws NotALogStoreError where the directory is something else's, or the file is damaged
 * @throws UnsupportedFormatVersionError where a newer release made it
 */
export async function readMarker<Content extends Marker>(
  storage: Storage,
  directory: string,
  { file, what, format, formatVersion }: MarkerKind,
): Promise<(Marker & Partial<Content>) | undefined> {
  const content = await readWholeFile(storage, `${directory}/${file}`);
  if (content === undefined) {
    const names = (await storage.list(directory)) ?? [];
    const foreign = names.find((name) => !isOfTheSystem(name) && name !== file + TEMPORARY_SUFFIX);
    if (foreign === undefined) return undefined;
    throw new NotALogStoreError(
      `${directory} holds ${foreign} but no ${file}: it is not ${what}; name an empty directory to make one`,
      { file },
    );
  }
  const { fields, isIntact } = readJsonWithCrc(content) ?? { fields: {}, isIntact: false };
  const marker = fields as Partial<Marker & Content>;
  const { formatVersion: found } = marker;
  const isOurs = marker.format === format && Number.isInteger(found);
  // What a newer version looks like is not known, its checksum included.
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
