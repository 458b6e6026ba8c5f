/**
 * What must hold of a store whose log was damaged, whatever the damage: it serves the exact records
 * before it and then ends, or names the place. Written without `expect`, which costs more than the
 * store that it looks at.
 */
import { LogStore, LogStoreError, type RecordBatch } from "../../src/index.js";
import { FileImage } from "../file-image.js";
import type { Random } from "../random.js";
import { check } from "./check.js";
import { checkGoesOn, checkOtherReads, checkRefuses, readBatches } from "./check-more.js";
import { LOG, LOG_BYTES, type SampleLog, type State } from "./sample-log.js";

export interface Damage {
  readonly state: State;
  /** The log's bytes as they are now. */
  readonly log: Uint8Array;
  /** Which batch is damaged, or cut off: those before it are whole. */
  readonly firstBad: number;
  /**
   * Offset below which everything is known to have been durable, by the checkpoint and by what is
   * still sound.
   */
  readonly proven: number;
}

/** Whether the damage was told by name, taken for a torn tail and cut, or there was none. */
export type Outcome = "named" | "cut" | "whole";

/**
 * Opens, and reads from the start.
 *
 * @param more what else to look at, where that is to be afforded: reading from other places, and
 * going on
 */
export async function checkDamaged(sample: SampleLog, damage: Damage, more?: Random): Promise<Outcome> {
  const { state, log, firstBad, proven } = damage;
  const storage = new FileImage(sample.files[state]);
  storage.files.set(LOG, log);
  const store = await LogStore.open("store", { storage });
  // What lies before the batch before it is the same in every case.
  const first = more === undefined ? Math.max(0, firstBad - 1) : 0;
  const { batches, error } = await readBatches(store, first === 0 ? "earliest" : sample.batches[first]!.baseOffset);
  checkSame(batches, sample, first, firstBad, error);
  const byte = sample.starts[firstBad]!;
  const offset = sample.batches[firstBad]?.baseOffset ?? sample.batches.at(-1)!.nextOffset;
  const [found] = store.recovery;
  if (more !== undefined) await checkOtherReads(store, sample, more);
  if (error !== undefined) {
    checkNamed(error, byte, offset);
    check(found?.tornTail === undefined, "something was cut");
    // Rot is found by whoever reads there; a file that is too short, by whoever opens it.
    if (log.length < LOG_BYTES) check(found?.damage !== undefined, "a log that is too short takes appends");
    if (more !== undefined && found !== undefined) await checkRefuses(store);
    await store.close();
    checkUnchanged(storage.files.get(LOG)!, log);
    return "named";
  }
  check(proven <= offset, `what was durable up to ${proven} is missing from ${offset} on without a word`);
  check(found?.damage === undefined, "damage was found, and is not told to who reads");
  const isTorn = !isZeros(log.subarray(byte));
  if (isTorn) {
    check(found?.tornTail?.byte === byte && found.tornTail.length === log.length - byte, "what was cut is not told");
    const saved = storage.files.get(`store/${found!.tornTail!.savedAs}`);
    check(saved !== undefined && Buffer.compare(saved, log.subarray(byte)) === 0, "what was cut is not saved");
  } else {
    check(found === undefined, "something was cut, and there was nothing to cut");
  }
  if (more !== undefined) await checkGoesOn(store, storage, sample, firstBad);
  await store.close();
  return isTorn ? "cut" : "whole";
}

/** Those batches were read which are sound, from the `first` to the one before `firstBad`. */
export function checkSame(
  read: readonly RecordBatch[],
  sample: SampleLog,
  first: number,
  firstBad: number,
  error: unknown,
): void {
  const alteredAt = read.findIndex(({ bytes }, i) => Buffer.compare(bytes, sample.batches[first + i]!.bytes) !== 0);
  check(alteredAt < 0, `batch ${first + alteredAt} is altered`);
  const sound = firstBad - first;
  check(read.length === sound, `${read.length} batches are served from ${first} on, and ${sound} are sound (${error})`);
}

/**
 * Where damage is found by readers only, recovery may have written back what is sound, and cut
 * zeros behind it.
 */
function checkUnchanged(bytes: Uint8Array, before: Uint8Array): void {
  if (bytes === before) return;
  const same = Buffer.compare(bytes, before.subarray(0, bytes.length)) === 0 && isZeros(before.subarray(bytes.length));
  check(same, "the damaged file was changed");
}

function isZeros(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The error of a damaged place says which one. */
export function checkNamed(error: unknown, byte: number, offset: number): void {
  check(error instanceof LogStoreError && error.code === "CORRUPT_PARTITION", `a foreign error: ${error}`);
  const found = [error.partition, error.file, error.byte, error.offset].join(" ");
  const expected = [0, LOG.slice("store/".length), byte, offset].join(" ");
  check(found === expected, `the error names ${found}, and the place is ${expected}`);
}
