import type { RecordBatchBuilder, RecordBatchBuilderOptions } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import { Waiters } from "./waiters.js";

/** Records that are sent together, from the first append until their outcome is known. */
export class Batch {
  readonly builder: RecordBatchBuilder;
  readonly waiters: Waiters;
  /** Monotonic ms. */
  readonly deadline: number;
  /** Bytes that its records take of the producer's buffer. */
  bufferedBytes = 0;
  /** The encoded batch once it is sealed. It never changes, however often it is sent. */
  sealed: Uint8Array | undefined;
  /** Number of batches that its sender had sent before it. */
  ordinal = 0;
  /** The error of the last attempt. */
  failure: unknown;
  /** Ends the attempt in progress. */
  #rejectTry: ((error: unknown) => void) | undefined;
  #isSettled = false;
  readonly #settled = Promise.withResolvers<void>();

  /** Options of its builder, if the builder may be reused. */
  readonly builderOptions: RecordBatchBuilderOptions | undefined;

  constructor(
    builder: RecordBatchBuilder,
    deadline: number,
    builderOptions?: RecordBatchBuilderOptions,
    waiters = new Waiters(),
  ) {
    this.builderOptions = builderOptions;
    this.builder = builder;
    this.deadline = deadline;
    this.waiters = waiters;
  }

  /** Resolves when every waiter was settled; never rejects. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Begins an attempt: `reject` ends the wait for its response. */
  tries(reject: (error: unknown) => void): void {
    this.#rejectTry = reject;
  }

  /** Ends the wait for the response to the attempt in progress. */
  endTry(error: unknown): void {
    this.#rejectTry?.(error);
  }

  resolve(topic: string, partition: number, baseOffset: number, durability: Durability): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.waiters.resolve(topic, partition, baseOffset, durability);
    this.#settled.resolve();
  }

  /** Moves its records to other batches. */
  replacedBy(batches: readonly Batch[]): void {
    this.#isSettled = true;
    Promise.all(batches.map(({ settled }) => settled)).then(() => this.#settled.resolve());
  }

  reject(error: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.waiters.reject(error);
    this.#settled.resolve();
  }
}
