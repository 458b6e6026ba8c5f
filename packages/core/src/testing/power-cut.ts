/**
 * What a machine finds on its disk after a power cut. What was synced always survives. What was not
 * may survive, or not, or in part: the outcomes are the known ways in which disks and file systems
 * lose data.
 *
 * Overwriting is powersafe, in SQLite's terms: a byte that no unsynced write changed is never
 * harmed, even if its sector was being written.
 */
import type { DirectoryTree } from "./directory-tree.js";
import type { Random } from "./random.js";
import type { SimulatedFile, UnsyncedChange } from "./simulated-file.js";

/**
 * - drop-all: nothing unsynced survives, neither bytes nor names.
 * - keep-some: each unsynced write, truncation and name survives or not.
 * - reorder: of the unsynced writes to a file, a later one survives and an earlier one does not.
 * - tear: only some 512-byte sectors of an unsynced write survive.
 * - zero-tail: a file has its new length, but zeros in place of the bytes written there.
 * - garbage: a sector that was being written has arbitrary contents where the write changed it.
 * - lost-names: all unsynced bytes survive, but no unsynced name.
 */
export const powerCutOutcomes = [
  "drop-all",
  "keep-some",
  "reorder",
  "tear",
  "zero-tail",
  "garbage",
  "lost-names",
] as const;

/** What a power cut does to writes that were not synced. */
export type PowerCutOutcome = (typeof powerCutOutcomes)[number];

const SECTOR_BYTES = 512;

export function cutPower(
  tree: DirectoryTree,
  files: Iterable<SimulatedFile>,
  outcome: PowerCutOutcome,
  random: Random,
): void {
  const { nameChances, settle } = settlements[outcome];
  const chance = random.oneOf(nameChances);
  tree.settle(() => random.chance(chance));
  for (const file of files) {
    if (file.unsynced.length > 0) settle(file, file.rollBack(), random);
  }
}

interface Settlement {
  /** The probability that an unsynced name survives: one of these, chosen for all names. */
  readonly nameChances: readonly number[];
  /** Computes the file that is found, from the durable one and the unsynced changes. */
  readonly settle: (file: SimulatedFile, changes: readonly UnsyncedChange[], random: Random) => void;
}

const MOST_NAMES = [0.5, 1];

const settlements: Record<PowerCutOutcome, Settlement> = {
  "drop-all": { nameChances: [0], settle: (file, changes) => redo(file, changes, () => false) },
  "keep-some": {
    nameChances: [0.5],
    settle: (file, changes, random) => redo(file, changes, () => random.chance(0.5)),
  },
  reorder: { nameChances: MOST_NAMES, settle: reorder },
  tear: { nameChances: MOST_NAMES, settle: tear },
  "zero-tail": { nameChances: MOST_NAMES, settle: zeroTail },
  garbage: { nameChances: MOST_NAMES, settle: garbage },
  "lost-names": { nameChances: [0], settle: (file, changes) => redo(file, changes, () => true) },
};

/** @param isKept called only for changes whose outcome is open */
function redo(file: SimulatedFile, changes: readonly UnsyncedChange[], isKept: (index: number) => boolean): void {
  for (const [i, change] of changes.entries()) if (change.state === "durable" || isKept(i)) file.redo(change);
}

function reorder(file: SimulatedFile, changes: readonly UnsyncedChange[], random: Random): void {
  const isThere = changes.map(() => random.chance(0.5));
  if (changes.length > 1) {
    const lost = random.whole(0, changes.length - 2);
    isThere[lost] = false;
    isThere[random.whole(lost + 1, changes.length - 1)] = true;
  }
  redo(file, changes, (i) => isThere[i]!);
}

function tear(file: SimulatedFile, changes: readonly UnsyncedChange[], random: Random): void {
  const torn = random.oneOf(changes);
  let isLater = false;
  for (const change of changes) {
    if (change.state === "durable") file.redo(change);
    else if (change === torn) {
      tearOne(file, change, random);
      isLater = true;
    } else if (!isLater || random.chance(0.5)) file.redo(change);
  }
}

/** A write within one sector survives or not. Of a longer one the first sectors survive, or any. */
function tearOne(file: SimulatedFile, change: UnsyncedChange, random: Random): void {
  const { kind, position, bytes } = change;
  const firstSector = Math.floor(position / SECTOR_BYTES);
  const sectors = Math.ceil((position + bytes.length) / SECTOR_BYTES) - firstSector;
  if (kind === "truncate" || sectors < 2) {
    if (random.chance(0.5)) file.redo(change);
    return;
  }
  const inOrder = random.chance(0.5);
  const keptFirst = random.whole(1, sectors - 1);
  const lost = random.whole(0, sectors - 1);
  for (let i = 0; i < sectors; i++) {
    if (inOrder ? i >= keptFirst : i === lost || random.chance(0.5)) continue;
    const from = Math.max(position, (firstSector + i) * SECTOR_BYTES);
    const to = Math.min(position + bytes.length, (firstSector + i + 1) * SECTOR_BYTES);
    file.put(bytes.subarray(from - position, to - position), from);
  }
  // The new length may survive, whatever happened to the bytes.
  if (random.chance(0.5)) file.resize(Math.max(file.size, position + bytes.length));
}

/** In a part of the file that did not grow, each change survives or not. */
function zeroTail(file: SimulatedFile, changes: readonly UnsyncedChange[], random: Random): void {
  const keepsAll = random.chance(0.5);
  /** Every byte before this position is valid. */
  let sound = file.size;
  for (const change of changes) {
    const end = change.position + change.bytes.length;
    const isDurable = change.state === "durable";
    if (!isDurable && !keepsAll && end <= file.size && random.chance(0.5)) continue;
    file.redo(change);
    if (change.kind === "truncate") sound = Math.min(sound, change.position);
    else if (isDurable) sound = Math.max(sound, end);
  }
  const { size } = file;
  if (size <= sound) return;
  const sector = random.whole(Math.floor(sound / SECTOR_BYTES), Math.floor((size - 1) / SECTOR_BYTES));
  const from = random.chance(0.5) ? sound : Math.max(sound, sector * SECTOR_BYTES);
  file.resize(from);
  file.resize(size);
}

function garbage(file: SimulatedFile, changes: readonly UnsyncedChange[], random: Random): void {
  redo(file, changes, () => false);
  const durable = file.bytes.slice();
  const writes = changes.filter(({ kind, state }) => kind === "write" && state !== "durable");
  redo(file, changes, () => true);
  if (writes.length === 0) return;
  const { position, bytes } = random.oneOf(writes);
  const sector = Math.floor(random.whole(position, position + bytes.length - 1) / SECTOR_BYTES);
  const from = sector * SECTOR_BYTES;
  const found = file.bytes.slice(from, from + SECTOR_BYTES);
  for (let i = 0; i < found.length; i++) {
    const at = from + i;
    const isWritten = writes.some((write) => at >= write.position && at < write.position + write.bytes.length);
    if (isWritten && found[i] !== durable[at]) found[i] = random.whole(0, 255);
  }
  file.put(found, from);
}
