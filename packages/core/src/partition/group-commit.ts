/**
 * Group commit: one loop a partition writes all that waits with one call and, where anybody asks for it, makes it durable with
 * one more, then resolves everybody. The next group gathers meanwhile.
 */
import { StorageFailedError } from "@logstore/codec";
import type { AppendQueue, PendingAppend } from "./append-queue.js";

/** Bytes of one group at most, unless a single append is larger: bounds the wait of those behind it. */
const MAX_GROUP_BYTES = 4 * 1024 * 1024;

export class GroupCommit {
  readonly #queue: AppendQueue;
  readonly #commit: (group: PendingAppend[]) => Promise<void>;
  readonly #maxGroupBytes: number;
  #running: Promise<void> | undefined;
  #failure: StorageFailedError | undefined;

  /**
   * @param commit assigns offsets, writes, makes durable and resolves a group. If it rejects, the log's state on disk is not
   * known any more: everybody who waits gets the error, and so does everybody who comes later.
   */
  constructor(queue: AppendQueue, segmentBytes: number, commit: (group: PendingAppend[]) => Promise<void>) {
    this.#queue = queue;
    this.#commit = commit;
    this.#maxGroupBytes = Math.min(MAX_GROUP_BYTES, segmentBytes);
  }

  /** Why nothing can be appended any more, if so. */
  get failure(): StorageFailedError | undefined {
    return this.#failure;
  }

  /** To be called when something was put in the queue. */
  wake(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing waits or is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Everybody who appends in this turn of the event loop goes into the first group.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    while (!this.#queue.isEmpty) {
      const group = this.#queue.take(this.#maxGroupBytes);
      try {
        await this.#commit(group);
      } catch (cause) {
        this.#failure ??= storageFailed(cause);
        for (const append of group) append.reject(this.#failure);
        this.#queue.rejectAll(this.#failure);
      }
    }
    this.#running = undefined;
  }
}

export function storageFailed(cause: unknown): StorageFailedError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StorageFailedError(
    `a write failed (${reason}), and what reached the disk is not known: the partition takes no more appends until it is opened again`,
    {},
    { cause },
  );
}
