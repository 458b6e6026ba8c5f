/**
 * What an embedding program may be told of while it happens: counters and timings are made of it.
 */

import type { LogStoreError } from "@logstore/codec";
import type { WarnedEvent } from "./warnings.js";

/**
 * Each is called in the midst of the work, so let it be short; what it throws is the caller's to
 * see, as an uncaught error.
 */
export interface LogStoreHooks {
  /** A group of appends was written, made durable if anybody asked for that, and acknowledged. */
  readonly committed?: ((event: CommittedEvent) => void) | undefined;
  /** Batches were read, from memory or from disk. */
  readonly read?: ((event: ReadEvent) => void) | undefined;
  /** A partition goes on in a new segment. */
  readonly rolled?: ((event: RolledEvent) => void) | undefined;
  /** Records were deleted, by retention or on demand. */
  readonly deleted?: ((event: DeletedEvent) => void) | undefined;
  /** A partition takes no more appends, until the store is opened again. */
  readonly failed?: ((event: FailedEvent) => void) | undefined;
  /** A read came upon damage in a partition: what lies there cannot be read. Told once a place. */
  readonly damaged?: ((event: DamagedEvent) => void) | undefined;
  /** Something that has cost nothing yet needs somebody's attention. Event types may be added. */
  readonly warned?: ((event: WarnedEvent) => void) | undefined;
}

/** Tells a hook of something. What it throws is none of the engine's: the work goes on. */
export function tell(hook: () => void): void {
  try {
    hook();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** Appends were written, and synced where they asked for it. */
export interface CommittedEvent {
  readonly partition: number;
  /** Calls that were answered together. */
  readonly appends: number;
  readonly records: number;
  readonly bytes: number;
  readonly writeMs: number;
  /** Undefined where nobody asked for a sync. */
  readonly syncMs: number | undefined;
}

/** Batches were read. */
export interface ReadEvent {
  readonly partition: number;
  readonly bytes: number;
  readonly source: "memory" | "disk";
}

/** A segment was finished, and another one begun. */
export interface RolledEvent {
  readonly partition: number;
  readonly baseOffset: number;
}

/** Segments were deleted by retention or by `deleteRecords`. */
export interface DeletedEvent {
  readonly partition: number;
  readonly logStart: number;
  readonly segments: number;
}

/** A read or an opening found damage. */
export interface DamagedEvent {
  /** Where it is a broker that tells. */
  readonly topic?: string | undefined;
  readonly partition: number;
  /**
   * A CorruptPartitionError, or a StorageFailedError where the disk cannot be read; both say where.
   */
  readonly error: LogStoreError;
}

/** A partition takes no more appends until the store is opened again. */
export interface FailedEvent {
  /** Where it is a broker that tells. */
  readonly topic?: string | undefined;
  readonly partition: number;
  readonly error: Error;
}
