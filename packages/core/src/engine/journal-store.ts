/**
 * Storage for the changes of a broker's consumer groups: a partition log, and a snapshot that
 * replaces the deleted beginning of that log.
 */
import type { PartitionLog } from "./partition-log.js";

/** Reads a snapshot. */
export interface SnapshotReader {
  /**
   * Fills `into` from `position` on, as far as the snapshot reaches; resolves to the number of
   * bytes, 0 at the end.
   */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Appends to the snapshot that is being written. */
export type SnapshotSink = (pieces: readonly Uint8Array[]) => Promise<void>;

/** A partition log and a snapshot. */
export interface JournalStore {
  /** Where it is stored, for the operator. */
  readonly location: string;

  /**
   * Whether nothing can be appended at present, for example because the log's stream has no quorum.
   * A change of it is told like one of `Engine.unavailable`. Default: false.
   */
  readonly isUnavailable?: boolean | undefined;

  /**
   * Opens the log; undefined if it has not been created. Its batches may have up to 1 GiB, and it
   * refuses none because of a full queue.
   *
   * @throws StorageFailedError if a part of it is missing; the errors of opening a partition
   */
  open(): Promise<PartitionLog | undefined>;

  /** Creates an empty log, if there is none. */
  make(): Promise<PartitionLog>;

  /** Returns undefined if there is no snapshot. */
  openSnapshot(): Promise<SnapshotReader | undefined>;

  /**
   * Replaces the snapshot atomically and durably by what `write` puts into the sink. If `write`
   * rejects, the old snapshot stays.
   */
  replaceSnapshot(write: (sink: SnapshotSink) => Promise<void>): Promise<void>;

  close(): Promise<void>;
}
