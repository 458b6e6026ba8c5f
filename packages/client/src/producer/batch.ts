import type { RecordBatchBuilder, RecordBatchBuilderOptions, Timer } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import type { AppendAck } from "./append-ack.js";

/** Who is told what became of a record. */
export interface Waiter {
  resolve(ack: AppendAck): void;
  reject(error: unknown): void;
}

/** Records that travel together, from the first one put in until their fate is known. */
export class Batch {
  readonly builder: RecordBatchBuilder;
  readonly waiters: Waiter[] = [];
  /** Monotonic ms. */
  readonly deadline: number;
  /** Bytes that its records hold of the producer's buffer. */
  bufferedBytes = 0;
  /** The bytes to send, once there are any; they never change, however often they are sent. */
  sealed: Uint8Array | undefined;
  /** How many batches its sender had sent before it. */
  ordinal = 0;
  /** Why the last try failed. */
  failure: unknown;
  /**
   * Of the try under way. Not in a closure of each batch: V8 then moves most of what is sent into
   * the old generation.
   */
  #timer: Timer | undefined;
  #rejectTry: ((error: unknown) => void) | undefined;
  #isSettled = false;
  readonly #settled = Promise.withResolvers<void>();

  /** What its builder was made with, where it may be used again. */
  readonly builderOptions: RecordBatchBuilderOptions | undefined;

  constructor(builder: RecordBatchBuilder, deadline: number, builderOptions?: RecordBatchBuilderOptions) {
    this.builderOptions = builderOptions;
    this.builder = builder;
    this.deadline = deadline;
  }

  /** Resolves, and never rejects, when every waiter was told. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** The log is asked: `reject` ends the wait for its answer, `timer` limits it. */
  tries(timer: Timer, reject: (error: unknown) => void): void {
    this.#timer = timer;
    this.#rejectTry = reject;
  }

  /** Ends the wait for the answer to the try under way. */
  endTry(error: unknown): void {
    this.#timer?.cancel();
    this.#rejectTry?.(error);
  }

  resolve(topic: string, partition: number, baseOffset: number, durability: Durability): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    let offset = baseOffset;
    for (const waiter of this.waiters) {
      waiter.resolve({ topic, partition, offset, nextOffset: ++offset, durability });
    }
    this.#settled.resolve();
  }

  /** Its records are in other batches from now on. */
  replacedBy(batches: readonly Batch[]): void {
    this.waiters.length = 0;
    Promise.all(batches.map(({ settled }) => settled)).then(() => this.#settled.resolve());
  }

  reject(error: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (const waiter of this.waiters) waiter.reject(error);
    this.#settled.resolve();
  }
}
