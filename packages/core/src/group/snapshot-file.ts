/**
 * `groups/snapshot`: all groups as they were at some offset of the groups' log, so that what is before it need not be kept. Groups
 * are written one after another while they go on: each says up to which offset it is. docs/format/groups.md.
 */
import { UnsupportedFormatVersionError } from "@logstore/codec";
import { decodeCheckedJson, encodeCheckedJson } from "../files/checked-json.js";
import { TEMPORARY_SUFFIX } from "../files/file-names.js";
import { readWholeFile } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import type { GroupJson } from "./group-format.js";

export const SNAPSHOT_FILE = "snapshot";
const SNAPSHOT_FORMAT_VERSION = 1;
/** Written at once, so that others have their turn in between. */
const PIECE_BYTES = 256 * 1024;

export interface GroupsSnapshot {
  /** Changes from this offset on may not be in it; those before it are, in every group. */
  readonly from: number;
  readonly groups: readonly GroupJson[];
}

/**
 * Replaces the snapshot, durably. Resolves to its length.
 *
 * @param groups asked for one by one, as the file grows
 * @param ready awaited before the new file takes the old one's place
 */
export async function writeSnapshot(
  storage: Storage,
  directory: string,
  from: number,
  groups: Iterable<GroupJson>,
  ready: () => Promise<void>,
): Promise<number> {
  const path = `${directory}/${SNAPSHOT_FILE}`;
  const file = await storage.createFile(path + TEMPORARY_SUFFIX);
  let position = 0;
  try {
    let pieces = [encodeCheckedJson({ formatVersion: SNAPSHOT_FORMAT_VERSION, from })];
    let bytes = pieces[0]!.length;
    const write = async () => {
      await file.write(pieces, position);
      position += bytes;
      pieces = [];
      bytes = 0;
    };
    let count = 0;
    for (const group of groups) {
      const piece = encodeCheckedJson(group);
      pieces.push(piece);
      bytes += piece.length;
      count++;
      if (bytes >= PIECE_BYTES) await write();
    }
    const end = encodeCheckedJson({ groups: count });
    pieces.push(end);
    bytes += end.length;
    await write();
    await file.sync();
  } finally {
    await file.close();
  }
  await ready();
  await storage.rename(path + TEMPORARY_SUFFIX, path);
  await storage.syncDirectory(directory);
  return position;
}

/** Undefined where there is none; "damaged" where it cannot be believed. @throws UnsupportedFormatVersionError */
export async function readSnapshot(
  storage: Storage,
  directory: string,
): Promise<GroupsSnapshot | "damaged" | undefined> {
  const content = await readWholeFile(storage, `${directory}/${SNAPSHOT_FILE}`);
  if (content === undefined) return undefined;
  const documents: unknown[] = [];
  for (let at = 0; at < content.length; ) {
    const end = content.indexOf(10, content.indexOf(10, at) + 1) + 1;
    const document = end <= at ? undefined : decodeCheckedJson(content.subarray(at, end));
    if (document === undefined) return "damaged";
    documents.push(document);
    at = end;
  }
  const header = documents.shift() as { formatVersion: number; from: number } | undefined;
  const end = documents.pop() as { groups: number } | undefined;
  if (header !== undefined && header.formatVersion !== SNAPSHOT_FORMAT_VERSION) {
    throw new UnsupportedFormatVersionError(
      `groups/${SNAPSHOT_FILE} has format version ${header.formatVersion}: a newer release wrote it`,
      { file: `groups/${SNAPSHOT_FILE}`, expected: SNAPSHOT_FORMAT_VERSION, actual: header.formatVersion },
    );
  }
  if (header === undefined || end?.groups !== documents.length) return "damaged";
  return { from: header.from, groups: documents as GroupJson[] };
}
