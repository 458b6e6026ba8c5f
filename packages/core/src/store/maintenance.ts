/**
 * Repairs and snapshots of an open store. Repairs replace partitions that snapshots copy: they are
 * done one after another.
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

  /** Makes a snapshot that is there as a whole or not at all. */
  snapshot(directory: string, signal: AbortSignal | undefined): Promise<StoreSnapshot> {
    const copy = (unfinished: string) => this.#copyTo(unfinished, signal);
    return this.#alone(() => makeWhole(this.#parts.storage, directory, copy));
  }

  /** Makes a snapshot of which a crash may leave a part. */
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

  /** A partition that was closed to be repaired is opened again. */
  async #reopened(partition: number): Promise<FilePartitionLog> {
    const { partitions, openPartition } = this.#parts;
    if (!partitions[partition]!.isClosed) return partitions[partition]!;
    const log = await openPartition(partition);
    partitions[partition] = log;
    return log;
  }
}
