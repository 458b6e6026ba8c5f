/**
 * `groups/snapshot`: the state of all groups as of some offset of the groups' log, so that earlier
 * changes can be deleted. Groups are written one after another while they change, and each document
 * contains the offset up to which it is complete. See docs/format/groups.md.
 */
import { UnsupportedFormatVersionError } from "@logstore/codec";
import type { JournalStore, SnapshotReader, SnapshotSink } from "../../engine/journal-store.js";
import { decodeCheckedJson, encodeCheckedJson } from "../../files/checked-json.js";
import { PacedTask } from "../../pacing/pacer.js";
import type { GroupState } from "../state/group-state.js";
import { othersTurn } from "../time/slices.js";
import { decodeGroup, decodeMoreOfGroup, type GroupJson, type MoreOfGroupJson } from "./group-json.js";

export const SNAPSHOT_FILE = "snapshot";
/** Version 1 has one document per group. */
const SNAPSHOT_FORMAT_VERSION = 2;
/** Bytes per write, between which other work runs. */
const PIECE_BYTES = 256 * 1024;

export interface GroupsSnapshot {
  /** Changes before this offset are included in every group; later ones may not be. */
  readonly from: number;
  /** The highest offset up to which any of its documents is complete. */
  readonly upTo: number;
  readonly groups: ReadonlyMap<string, GroupState>;
}

/**
 * Replaces the snapshot durably. Resolves to its length.
 *
 * @param documents pulled one by one as the snapshot grows
 * @param ready awaited before the new snapshot replaces the old one
 */
export async function writeSnapshot(
  store: JournalStore,
  from: number,
  documents: Iterable<GroupJson | MoreOfGroupJson>,
  ready: () => Promise<void>,
): Promise<number> {
  let length = 0;
  await store.replaceSnapshot(async (sink) => {
    length = await writeDocuments(sink, from, documents);
    await ready();
  });
  return length;
}

async function writeDocuments(
  sink: SnapshotSink,
  from: number,
  documents: Iterable<GroupJson | MoreOfGroupJson>,
): Promise<number> {
  let length = 0;
  let pieces = [encodeCheckedJson({ formatVersion: SNAPSHOT_FORMAT_VERSION, from })];
  let bytes = pieces[0]!.length;
  const write = async () => {
    await sink(pieces);
    length += bytes;
    pieces = [];
    bytes = 0;
  };
  let count = 0;
  for (const document of documents) {
    const piece = encodeCheckedJson(document);
    pieces.push(piece);
    bytes += piece.length;
    count++;
    if (bytes < PIECE_BYTES) continue;
    await write();
    await othersTurn(); // storage in memory would never yield to other work
  }
  const end = encodeCheckedJson({ groups: count });
  pieces.push(end);
  bytes += end.length;
  await write();
  return length;
}

/**
 * Returns undefined if there is no snapshot, and "damaged" if it is not valid. Documents are read
 * one by one, so that only one of them is in memory in addition to the groups.
 *
 * @throws UnsupportedFormatVersionError
 */
export async function readSnapshot(
  store: Pick<JournalStore, "openSnapshot">,
): Promise<GroupsSnapshot | "damaged" | undefined> {
  const reader = await store.openSnapshot();
  if (reader === undefined) return undefined;
  try {
    return await readDocuments(reader);
  } finally {
    await reader.close();
  }
}

async function readDocuments(reader: SnapshotReader): Promise<GroupsSnapshot | "damaged"> {
  const groups = new Map<string, GroupState>();
  let from: number | undefined;
  let upTo = 0;
  let count = 0;
  let last: GroupState | undefined;
  const task = new PacedTask();
  let isWhole = false;
  for await (const document of documentsOf(reader)) {
    if (task.isDue) await task.pause();
    if (document === undefined || isWhole) return "damaged";
    if (from === undefined) {
      const header = document as { formatVersion: number; from: number };
      checkVersion(header.formatVersion);
      from = upTo = header.from;
      continue;
    }
    const piece = document as GroupJson | MoreOfGroupJson | { readonly groups: number };
    if ("groups" in piece) {
      isWhole = piece.groups === count;
      if (!isWhole) return "damaged";
      continue;
    }
    count++;
    upTo = Math.max(upTo, piece.upTo);
    if ("group" in piece) {
      last = decodeGroup(piece);
      groups.set(last.group, last);
    } else if (last === undefined) return "damaged";
    else decodeMoreOfGroup(last, piece);
  }
  return from === undefined || !isWhole ? "damaged" : { from, upTo, groups };
}

/**
 * Yields undefined for a document whose checksum does not match, and for an incomplete one at the
 * end.
 */
async function* documentsOf(reader: SnapshotReader): AsyncGenerator<unknown, void> {
  let position = 0;
  let rest = Buffer.alloc(0);
  /** The part of `rest` that contains no newline. */
  let searched = 0;
  let lineEnd = -1;
  for (;;) {
    const newline = rest.indexOf(10, searched);
    if (newline < 0) {
      searched = rest.length;
      // Doubles the buffer, so that a long document is not copied once for each chunk.
      const chunk = Buffer.allocUnsafe(Math.max(PIECE_BYTES, rest.length));
      const length = await reader.read(chunk, position);
      if (length === 0) break;
      position += length;
      rest = Buffer.concat([rest, chunk.subarray(0, length)]);
    } else if (lineEnd < 0) {
      lineEnd = newline;
      searched = newline + 1;
    } else {
      yield decodeCheckedJson(rest.subarray(0, newline + 1));
      rest = rest.subarray(newline + 1);
      searched = 0;
      lineEnd = -1;
    }
  }
  if (rest.length > 0) yield undefined;
}

function checkVersion(formatVersion: number): void {
  if (formatVersion <= SNAPSHOT_FORMAT_VERSION) return;
  throw new UnsupportedFormatVersionError(
    `groups/${SNAPSHOT_FILE} has format version ${formatVersion}: a newer release wrote it`,
    { file: `groups/${SNAPSHOT_FILE}`, expected: SNAPSHOT_FORMAT_VERSION, actual: formatVersion },
  );
}
