/**
 * Group commit: one loop per partition writes everything that waits with a single call, makes it
 * durable with one more if that was requested, and then resolves all callers. Meanwhile the next
 * group accumulates.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { LogStoreError, StorageFailedError } from "@logstore/codec";
import { Pacer } from "../../pacing/pacer.js";
import { adviceOf, attemptOf, reasonOf } from "../../storage/io-trouble.js";
import type { AppendQueue, PendingAppend } from "./append-queue.js";

/**
 * Largest size of a group, unless a single append is larger. The limit bounds how long later
 * appends wait, and keeps a group small enough that its data is still in the processor's cache when
 * it is written.
 */
const MAX_GROUP_BYTES = 1024 * 1024;
/**
 * Largest number of batches in a group, unless a single append has more: all of them get their
 * offsets in one turn of the event loop.
 */
const MAX_GROUP_BATCHES = 2_000;
/** After a group of this size the loop yields, because storage in memory never does. */
const LONG_GROUP_BATCHES = 500;

/**
 * Shared by all partitions. A group that is written in place, and the caller that awaits it before
 * its next append, never wait for anything: without a pause they would keep the event loop from
 * timers and sockets.
 */
const pacer = new Pacer();

export class GroupCommit {
  readonly #partition: number;
  readonly #queue: AppendQueue;
  readonly #options: { readonly segmentBytes: number };
  readonly #commit: (group: PendingAppend[]) => Promise<void>;
  readonly #failed: (error: StorageFailedError) => void;
  readonly #tasks: (() => Promise<void>)[] = [];
  #running: Promise<void> | undefined;
  #failure: StorageFailedError | undefined;

  /**
   * @param failure why the log accepts no appends from the start, if so
   * @param commit assigns offsets, writes, makes durable and resolves a group. If it rejects, the
   * log's state on disk is unknown: all waiting and later callers get the error.
   * @param failed called once with that error
   */
  constructor(
    partition: number,
    queue: AppendQueue,
    options: { readonly segmentBytes: number },
    commit: (group: PendingAppend[]) => Promise<void>,
    failed: (error: StorageFailedError) => void,
    failure?: StorageFailedError,
  ) {
    this.#failure = failure;
    this.#partition = partition;
    this.#queue = queue;
    this.#options = options;
    this.#commit = commit;
    this.#failed = failed;
  }

  /** Why no more appends are accepted; undefined if they are. */
  get failure(): StorageFailedError | undefined {
    return this.#failure;
  }

  /** Called when something was added to the queue. */
  wake(): void {
    this.#running ??= this.#run();
  }

  /**
   * Runs work while no group is in progress. If it rejects with anything but a LogStoreError, the
   * log's state on disk is unknown.
   */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      this.#tasks.push(async () => {
        try {
          if (this.#failure !== undefined) throw this.#failure;
          resolve(await work());
        } catch (error) {
          reject(error instanceof LogStoreError ? error : this.#fail(error));
        }
      });
    });
    this.wake();
    return done;
  }

  /**
   * Like {@link alone}, but also after a failure; an error of the work does not change the failure.
   */
  aloneAfterFailure<T>(work: () => Promise<T>): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      this.#tasks.push(() => work().then(resolve, reject));
    });
    this.wake();
    return done;
  }

  /** Refuses all appends from now on. */
  fail(cause: unknown): StorageFailedError {
    return this.#fail(cause);
  }

  /** Resolves when nothing waits or is in progress. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // All appends of this turn of the event loop become part of the first group.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    while (!this.#queue.isEmpty || this.#tasks.length > 0) {
      const task = this.#tasks.shift();
      if (task !== undefined) await task();
      if (pacer.isDue) await pacer.pause();
      if (this.#queue.isEmpty) continue;
      const group = this.#queue.take(Math.min(MAX_GROUP_BYTES, this.#options.segmentBytes), MAX_GROUP_BATCHES);
      try {
        await this.#commit(group);
      } catch (cause) {
        const failure = this.#fail(cause);
        for (const append of group) append.reject(failure);
      }
      if (group.reduce((sum, { batches }) => sum + batches.length, 0) > LONG_GROUP_BATCHES) await nextTurn();
    }
    this.#running = undefined;
  }

  #fail(cause: unknown): StorageFailedError {
    if (this.#failure === undefined) {
      this.#failure = storageFailed(cause, this.#partition);
      this.#failed(this.#failure);
    }
    this.#queue.rejectAll(this.#failure);
    return this.#failure;
  }
}

export function storageFailed(cause: unknown, partition: number): StorageFailedError {
  if (cause instanceof StorageFailedError) return cause.with({ partition }) as StorageFailedError;
  return new StorageFailedError(
    `${reasonOf(cause)}, and what reached the disk is not known: partition ${partition} takes no more appends until it is opened again; ${adviceOf(cause)}`,
    { partition, file: attemptOf(cause)?.file },
    { cause },
  );
}
