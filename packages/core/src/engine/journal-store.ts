/**
 * Where a broker keeps the changes of its consumer groups: a partition log of its own, and a
 * snapshot of what the deleted beginning of that log amounted to.
 */
import type { PartitionLog } from "./partition-log.js";

/** Reads a snapshot. */
export interface SnapshotReader {
  /** Fills as much of `into` as there is from `position` on; resolves to 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Appends to the snapshot that is being written. */
export type SnapshotSink = (pieces: readonly Uint8Array[]) => Promise<void>;

/** A partition log and a snapshot. */
export interface JournalStore {
  /** Where it is kept, for the operator. */
  readonly location: string;

  /**
   * Opens the log; undefined where none was made yet. Its batches may be 1 GiB long, and it refuses
   * none for want of room in a queue.
   *
   * @throws StorageFailedError where some of it is missing; what opening a partition throws
   */
  open(): Promise<PartitionLog | undefined>;

  /** Makes the log, empty, where there is none. */
  make(): Promise<PartitionLog>;

  /** Undefined where there is no snapshot. */
  openSnapshot(): Promise<SnapshotReader | undefined>;

  /**
   * Replaces the snapshot as a whole, durably, by what `write` puts into the sink. Where `write`
   * rejects, the old one stays.
   */
  replaceSnapshot(write: (sink: SnapshotSink) => Promise<void>): Promise<void>;

  close(): Promise<void>;
}
