/**
 * What must hold for a store whose log was damaged in any way: it returns the exact records before
 * the damage and then ends, or reports the position. Written without `expect`, which costs more
 * than opening the store.
 */
import { LogStore, LogStoreError, type RecordBatch } from "../../src/index.js";
import { FileImage } from "../file-image.js";
import type { Random } from "../random.js";
import { check } from "./check.js";
import { checkGoesOn, checkOtherReads, checkRefuses, readBatches } from "./check-more.js";
import { LOG, LOG_BYTES, type SampleLog, type State } from "./sample-log.js";

export interface Damage {
  readonly state: State;
  /** The current bytes of the log. */
  readonly log: Uint8Array;
  /** The batch that is damaged or cut off; those before it are intact. */
  readonly firstBad: number;
  /**
   * Every record below this offset is known to have been durable, from the checkpoint and from what
   * is still intact.
   */
  readonly proven: number;
}

/** Whether the damage was reported, truncated as a torn tail, or there was none. */
export type Outcome = "named" | "cut" | "whole";

/**
 * Opens the store and reads from the start.
 *
 * @param more also run the more expensive checks: reads from other positions, and further appends
 */
export async function checkDamaged(sample: SampleLog, damage: Damage, more?: Random): Promise<Outcome> {
  const { state, log, firstBad, proven } = damage;
  const storage = new FileImage(sample.files[state]);
  storage.files.set(LOG, log);
  const store = await LogStore.open("store", { storage });
  // Everything before the preceding batch is the same in every case.
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
    // A reader finds bit rot when it gets there; a file that is too short is found when the store
    // is opened.
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

/** Exactly the intact batches from `first` up to `firstBad` were read. */
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
 * If only readers find the damage, recovery may have rewritten intact bytes and truncated trailing
 * zeros.
 */
function checkUnchanged(bytes: Uint8Array, before: Uint8Array): void {
  if (bytes === before) return;
  const same = Buffer.compare(bytes, before.subarray(0, bytes.length)) === 0 && isZeros(before.subarray(bytes.length));
  check(same, "the damaged file was changed");
}

function isZeros(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The error of a damaged position contains the position. */
export function checkNamed(error: unknown, byte: number, offset: number): void {
  check(error instanceof LogStoreError && error.code === "CORRUPT_PARTITION", `a foreign error: ${error}`);
  const found = [error.partition, error.file, error.byte, error.offset].join(" ");
  const expected = [0, LOG.slice("store/".length), byte, offset].join(" ");
  check(found === expected, `the error names ${found}, and the place is ${expected}`);
}
