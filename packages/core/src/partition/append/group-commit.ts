/**
 * Group commit: one loop a partition writes all that waits with one call and, where anybody asks
 * for it, makes it durable with one more, then resolves everybody. The next group gathers
 * meanwhile.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { LogStoreError, StorageFailedError } from "@logstore/codec";
import { adviceOf, attemptOf, reasonOf } from "../../storage/io-trouble.js";
import type { AppendQueue, PendingAppend } from "./append-queue.js";

/**
 * Bytes of one group at most, unless a single append is larger. Bounds the wait of those behind it;
 * and what was received a moment ago is still in the processor's cache when it is written.
 */
const MAX_GROUP_BYTES = 1024 * 1024;
/**
 * Batches of one group at most, unless a single append has more: they are all placed in one turn of
 * the event loop.
 */
const MAX_GROUP_BATCHES = 2_000;
/** After a group of so many, others have their turn: a disk that is memory gives them none. */
const LONG_GROUP_BATCHES = 500;

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
   * @param failure why nothing can be appended to begin with, if so
   * @param commit assigns offsets, writes, makes durable and resolves a group. If it rejects, the
   * log's state on disk is not known any more: everybody who waits gets the error, and so does
   * everybody who comes later.
   * @param failed told so, once
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

  /** Why nothing can be appended any more, if so. */
  get failure(): StorageFailedError | undefined {
    return this.#failure;
  }

  /** To be called when something was put in the queue. */
  wake(): void {
    this.#running ??= this.#run();
  }

  /**
   * Does something while no group is under way. If it rejects with anything but an error of ours,
   * the log's state on disk is not known any more.
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

  /** The same where nothing can be appended any more; what it throws changes nothing of that. */
  aloneAfterFailure<T>(work: () => Promise<T>): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      this.#tasks.push(() => work().then(resolve, reject));
    });
    this.wake();
    return done;
  }

  /** Nothing can be appended from here on. */
  fail(cause: unknown): StorageFailedError {
    return this.#fail(cause);
  }

  /** Resolves when nothing waits or is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Everybody who appends in this turn of the event loop goes into the first group.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    while (!this.#queue.isEmpty || this.#tasks.length > 0) {
      await this.#tasks.shift()?.();
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
