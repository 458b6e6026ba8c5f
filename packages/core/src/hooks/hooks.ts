/** Events for an embedding program, as a basis of counters and timings. */
import type { LogStoreError } from "@logstore/codec";
import type { WarnedEvent } from "./warnings.js";

/**
 * Hooks are called synchronously and should be short. If one throws, the error becomes an uncaught
 * error of the program, and the store continues.
 */
export interface LogStoreHooks {
  /**
   * A group of appends was written, made durable if any of them requested that, and acknowledged.
   */
  readonly committed?: ((event: CommittedEvent) => void) | undefined;
  /** Batches were read, from memory or from disk. */
  readonly read?: ((event: ReadEvent) => void) | undefined;
  /** A partition rolled to a new segment. */
  readonly rolled?: ((event: RolledEvent) => void) | undefined;
  /** Records were deleted, by retention or on request. */
  readonly deleted?: ((event: DeletedEvent) => void) | undefined;
  /** A partition accepts no more appends until the store is reopened. */
  readonly failed?: ((event: FailedEvent) => void) | undefined;
  /**
   * A read found damage in a partition: the records there cannot be read. Called once for each
   * position.
   */
  readonly damaged?: ((event: DamagedEvent) => void) | undefined;
  /** A condition that has done no harm yet, but needs attention. More event types may be added. */
  readonly warned?: ((event: WarnedEvent) => void) | undefined;
}

/** Calls a hook. An error of the hook must not affect the store. */
export function tell(hook: () => void): void {
  try {
    hook();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** A group of appends was written, and synced if requested. */
export interface CommittedEvent {
  readonly partition: number;
  /** Number of calls that were acknowledged together. */
  readonly appends: number;
  readonly records: number;
  readonly bytes: number;
  readonly writeMs: number;
  /** Undefined if no sync was requested. */
  readonly syncMs: number | undefined;
}

/** Batches were read. */
export interface ReadEvent {
  readonly partition: number;
  readonly bytes: number;
  readonly source: "memory" | "disk";
}

/** A segment was finished, and a new one was started. */
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
  /** Set if the partition belongs to a broker. */
  readonly topic?: string | undefined;
  readonly partition: number;
  /**
   * A CorruptPartitionError, or a StorageFailedError if the disk cannot be read; both contain the
   * position.
   */
  readonly error: LogStoreError;
}

/** A partition accepts no more appends until the store is reopened. */
export interface FailedEvent {
  /** Set if the partition belongs to a broker. */
  readonly topic?: string | undefined;
  readonly partition: number;
  readonly error: Error;
}
