/** What of the appends that wait is accepted, and what of it is stored in one message. */
import type { RecordBatch } from "@logstore/codec";
import { assignOffsets } from "@logstore/core/engine";
import type { PendingAppend } from "./append-queue.js";
import type { Owner } from "./owner.js";

/** Largest group commit, in bytes, unless one batch is larger. */
export const COMMIT_BYTES = 1024 * 1024;

export interface Place {
  readonly partition: number;
  /** ms since the epoch. */
  readonly now: number;
  readonly flushedUpTo: number;
}

export interface Decision {
  /** Those to store: none that is refused, or a duplicate. */
  readonly batches: readonly RecordBatch[];
  /** Whether an append is refused. */
  readonly isRefused: boolean;
  /** Tells the callers, once the batches are stored. */
  settle(): void;
}

/** Decides about appends as of the owner's last message. */
export function decide(appends: readonly PendingAppend[], owner: Owner, place: Place): Decision {
  const { producers } = owner;
  let logEnd = { offset: owner.logEnd, appendTime: owner.appendTime };
  let isRefused = false;
  const batches: RecordBatch[] = [];
  const told: (() => void)[] = [];
  for (const append of appends) {
    try {
      const assigned = assignOffsets(append, logEnd, { ...place, producers });
      logEnd = assigned.logEnd;
      batches.push(...assigned.accepted);
      told.push(() => append.resolve(assigned.appended));
    } catch (error) {
      told.push(() => append.reject(error));
      isRefused = true;
    }
  }
  const settle = () => {
    for (const tell of told) tell();
  };
  return { batches, isRefused, settle };
}

/** Batches that are stored together: of one append time, and of `maxBytes` unless one is larger. */
export function* commits(batches: readonly RecordBatch[], maxBytes: number): Generator<readonly RecordBatch[], void> {
  let together: RecordBatch[] = [];
  let bytes = 0;
  for (const batch of batches) {
    const isOfAnotherTime = together[0]?.appendTime !== batch.appendTime;
    if (together.length > 0 && (isOfAnotherTime || bytes + batch.byteLength > maxBytes)) {
      yield together;
      [together, bytes] = [[], 0];
    }
    together.push(batch);
    bytes += batch.byteLength;
  }
  if (together.length > 0) yield together;
}
