/**
 * A partition's `checkpoint`: how far its log is known to be sound, and what was remembered of its producers there. Recovery
 * starts at it, and it is a witness: what it says was durable must be there. Without it the log is read from its start.
 */
import type { ProducerSnapshot } from "../partition/producer-state.js";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { decodeCheckedJson, encodeCheckedJson } from "./checked-json.js";
import { CHECKPOINT_FILE } from "./file-names.js";

const CHECKPOINT_FORMAT_VERSION = 1;

export interface Checkpoint {
  /** The first offset that there is: records before it are deleted, if their files are not yet. */
  readonly logStart: number;
  /** Every offset below this one is durable. */
  readonly recoveryPoint: number;
  /** Base offset of the segment that the recovery point lies in. */
  readonly segment: number;
  /** Byte in that segment at which the batch of the recovery point begins, or will. */
  readonly position: number;
  /** Append time of the last batch before it, ms since the epoch. */
  readonly lastAppendTime: number;
  readonly producers: readonly ProducerSnapshot[];
  /** Offsets that were lost and are known to be. */
  readonly gaps: readonly Gap[];
  /** The log must reach this offset, which was given before it was repaired. Undefined: the recovery point. */
  readonly expectedEnd?: number | undefined;
}

/** The first offset that is missing, and the first that is there again. */
export type Gap = readonly [from: number, to: number];

export function writeCheckpoint(storage: Storage, directory: string, checkpoint: Checkpoint): Promise<void> {
  const content = encodeCheckedJson({ formatVersion: CHECKPOINT_FORMAT_VERSION, ...checkpoint });
  return writeFileAtomically(storage, directory, CHECKPOINT_FILE, content);
}

/** Undefined where there is none, or none that can be believed. */
export async function readCheckpoint(storage: Storage, directory: string): Promise<Checkpoint | undefined> {
  const content = await readWholeFile(storage, `${directory}/${CHECKPOINT_FILE}`);
  const parsed = content && (decodeCheckedJson(content) as (Checkpoint & { formatVersion: number }) | undefined);
  return parsed?.formatVersion === CHECKPOINT_FORMAT_VERSION ? parsed : undefined;
}
