/** Opens a store after a crash and checks its guarantees. */
import assert from "node:assert/strict";
import { LogStore, type LogStoreOptions } from "../../src/index.js";
import type { Random, SimulatedDisk } from "../../src/testing/index.js";
import type { PartitionMoment, SubmittedRecord } from "./history.js";

export const DIRECTORY = "store";

/** The durability that has to survive this kind of crash. */
export type Survives = "flushed" | "written";

/**
 * Reads a partition and compares it with the submitted records; returns the number of records
 * found.
 */
export async function checkLog(
  store: LogStore,
  partition: number,
  { start, startMost, records, length, flushed, written }: PartitionMoment,
  survives: Survives,
): Promise<number> {
  const where = `partition ${partition}`;
  const { startOffset } = store.partition(partition);
  assert(startOffset >= start, `${where} starts at ${startOffset}, and everything before ${start} was deleted`);
  assert(startOffset <= startMost, `${where} starts at ${startOffset}, and nothing from ${startMost} on was deleted`);
  const end = await checkRecords(store, partition, records);
  const least = survives === "flushed" ? flushed : written;
  assert(end >= least, `${where} has ${end} records, and ${least} were acknowledged as ${survives}`);
  assert(end <= length, `${where} has ${end} records, and ${length} were submitted`);
  return end;
}

async function checkRecords(store: LogStore, partition: number, records: readonly SubmittedRecord[]): Promise<number> {
  let next = store.partition(partition).startOffset;
  for await (const { offset, key, value } of store.read(partition)) {
    const submitted = records[next];
    assert(offset === next, `partition ${partition} has offset ${offset} where ${next} is next`);
    assert(submitted !== undefined, `partition ${partition} has a record at ${offset} that nobody submitted`);
    const isSame =
      submitted.value.equals(value) && (key === null ? submitted.key === null : submitted.key?.equals(key));
    assert(isSame, `partition ${partition} has another record at ${offset} than was submitted`);
    next++;
  }
  assert.equal(store.partition(partition).endOffset, next, `end of partition ${partition}`);
  return next;
}

/** A crash causes no damage, only torn tails, whose bytes are saved. Returns these by file name. */
export function checkReport(store: LogStore, disk: SimulatedDisk): ReadonlyMap<string, Uint8Array> {
  const saved = new Map<string, Uint8Array>();
  for (const { tornTail, damage } of store.recovery) {
    if (damage !== undefined) throw damage;
    const { length, savedAs, laterSavedAs } = tornTail!;
    if (savedAs !== undefined) assert.equal(disk.content(`${DIRECTORY}/${savedAs}`).length, length, savedAs);
    for (const name of savedAs === undefined ? laterSavedAs : [savedAs, ...laterSavedAs]) {
      saved.set(`${DIRECTORY}/${name}`, disk.content(`${DIRECTORY}/${name}`));
    }
  }
  const temporary = disk.paths().filter((path) => /^store\/\d+\/.*\.tmp$/.test(path));
  assert.deepEqual(temporary, [], "temporary files that were left");
  return saved;
}

/**
 * Opens the store on a disk after a crash, checks it, appends, ends it in some way, opens it again
 * and checks again.
 */
export async function checkRecovered(
  disk: SimulatedDisk,
  options: LogStoreOptions,
  moments: readonly PartitionMoment[],
  survives: Survives,
  random: Random,
  opened: () => void,
): Promise<void> {
  const store = await LogStore.open(DIRECTORY, { ...options, storage: disk });
  opened();
  const saved = checkReport(store, disk);
  const torn = store.recovery.map(({ partition }) => partition);
  const after: PartitionMoment[] = [];
  for (const [partition, moment] of moments.entries()) {
    const end = await checkLog(store, partition, moment, survives);
    const start = store.partition(partition).startOffset;
    after.push({ ...moment, start, length: end, records: moment.records.slice(0, end), flushed: end, written: end });
  }
  const partition = random.whole(0, moments.length - 1);
  after[partition] = await appendSome(store, partition, moments[partition]!, after[partition]!, random);
  const end = random.oneOf(["close", "close", "kill", "power cut"]);
  const again = await endStore(store, disk, end);
  const reopened = await LogStore.open(DIRECTORY, { ...options, storage: again });
  checkReport(reopened, again);
  for (const [path, bytes] of saved) assert.deepEqual(again.content(path), bytes, `${path} later`);
  for (const { partition } of reopened.recovery) {
    // A power cut may undo the truncation by a recovery that was killed, but not by one that
    // completed.
    assert(end === "power cut" && !torn.includes(partition), `a second opening found a torn tail in ${partition}`);
  }
  for (const [partition, moment] of after.entries()) await checkLog(reopened, partition, moment, "flushed");
  if (random.chance(0.2)) await checkVerified(reopened);
}

/**
 * What was recovered is valid to the last byte. An index may be stale, because it is only a cache.
 */
export async function checkVerified(store: Pick<LogStore, "verify">): Promise<void> {
  for await (const event of store.verify()) {
    assert(event.type === "progress" || event.kind === "index", `verify finds ${JSON.stringify(event)}`);
  }
}

/**
 * Appends continue at the end of the log. A producer resends what was not acknowledged; records
 * that exist already are not appended twice.
 */
async function appendSome(
  store: LogStore,
  partition: number,
  { records, batches }: PartitionMoment,
  found: PartitionMoment,
  random: Random,
): Promise<PartitionMoment> {
  const end = found.length;
  const after = [...found.records];
  const log = store.log(partition);
  const known = batches.findLast(({ nextOffset }) => nextOffset <= end);
  if (known !== undefined && random.chance(0.5)) {
    const { baseOffset, duplicate } = await log.appendBatches(known.bytes.slice(), { durability: "flushed" });
    assert.deepEqual(
      { baseOffset, duplicate },
      { baseOffset: known.baseOffset, duplicate: true },
      "a batch sent again",
    );
  }
  const lost = batches.find(({ baseOffset }) => baseOffset >= end);
  if (lost !== undefined && random.chance(0.5)) {
    const { baseOffset, duplicate } = await log.appendBatches(lost.bytes.slice(), { durability: "flushed" });
    assert.deepEqual({ baseOffset, duplicate }, { baseOffset: end, duplicate: false }, "a lost batch sent again");
    after.push(...records.slice(lost.baseOffset, lost.nextOffset));
  }
  const value = Buffer.from("after the crash");
  const { offset } = await store.append(null, value, { partition, durability: "flushed" });
  assert.equal(offset, after.length, "offset of the next record");
  after.push({ key: null, value });
  return { ...found, records: after, length: after.length, flushed: after.length };
}

/** Returns the disk on which the store is opened next. */
async function endStore(store: LogStore, disk: SimulatedDisk, end: string): Promise<SimulatedDisk> {
  if (end === "kill") return disk.processKill();
  if (end === "power cut") return disk.powerCut("drop-all");
  await store.close();
  assert.equal(disk.openFileCount, 0, "files left open");
  return disk;
}
