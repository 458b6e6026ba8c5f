/**
 * Repairs and snapshots of an open store. They run one at a time, because a repair replaces
 * partitions that a snapshot copies.
 */
import { ClosedError } from "@logstore/codec";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { RepairAction } from "../partition/upkeep/repair-log.js";
import { copyStore, type StoreSnapshot } from "../snapshot/copy-store.js";
import { makeWhole } from "../snapshot/make-whole.js";
import type { StoreParts } from "./open-store.js";
import { repairStore } from "./repair-store.js";

export class Maintenance {
  readonly #parts: StoreParts;
  /** The last repair or snapshot. */
  #working: Promise<unknown> = Promise.resolve();
  /** Aborted on close; stops a running repair or snapshot. */
  readonly #stop = new AbortController();

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  repair(dryRun: boolean): Promise<RepairAction[]> {
    return this.#alone(() => {
      const { storage, watermarks, partitions } = this.#parts;
      const reopened = (partition: number) => this.#reopened(partition);
      const store = { partitions: partitions.length, storage, watermarks, reopened, signal: this.#stop.signal };
      return repairStore(store, dryRun);
    });
  }

  /** Creates a snapshot. A crash leaves either all of it or nothing. */
  snapshot(directory: string, signal: AbortSignal | undefined): Promise<StoreSnapshot> {
    const copy = (unfinished: string) => this.#copyTo(unfinished, signal);
    return this.#alone(() => makeWhole(this.#parts.storage, directory, copy));
  }

  /** Creates a snapshot. A crash may leave a part of it. */
  copyTo(directory: string, signal: AbortSignal): Promise<StoreSnapshot> {
    return this.#alone(() => this.#copyTo(directory, signal));
  }

  /** Stops what is running; resolves when it has ended. */
  async close(): Promise<void> {
    this.#stop.abort(new ClosedError("the log store was closed"));
    await this.#working;
  }

  #copyTo(directory: string, signal: AbortSignal | undefined): Promise<StoreSnapshot> {
    const { storage, identity, partitions: logs } = this.#parts;
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    return copyStore({ storage, identity, logs }, directory, either);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.then(() => {
      this.#stop.signal.throwIfAborted();
      return work();
    });
    this.#working = done.catch(() => {});
    return done;
  }

  /** Returns a partition; reopens it if it was closed for a repair. */
  async #reopened(partition: number): Promise<FilePartitionLog> {
    const { partitions, openPartition } = this.#parts;
    if (!partitions[partition]!.isClosed) return partitions[partition]!;
    const log = await openPartition(partition);
    partitions[partition] = log;
    return log;
  }
}
