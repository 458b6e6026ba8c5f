import type { OwnedPartition } from "./owned-partition.js";

/** What the application is working on. */
export interface InFlight {
  /** Nothing more of the partition is begun. */
  stop(partition: OwnedPartition): void;
  isBusyWith(partition: OwnedPartition): boolean;
  /** Resolves when nothing of the partition is worked on any more. */
  drained(partition: OwnedPartition): Promise<void>;
  /** What was begun of the partition does not count as processed. */
  forget(partition: OwnedPartition): void;
  /** The reading is over: what is worked on is all there will be. */
  finish(): void;
}

/** Whoever asks for records by hand may never ask again: how long an end waits for that. */
const FINISH_TIMEOUT_MS = 10_000;

/** One record or batch, as loops have it: handed out, and processed when the next one is asked for. */
export class InHand implements InFlight {
  #partition: OwnedPartition | undefined;
  #nextOffset = 0;
  #counts = true;
  #patience: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  /** @param nextOffset where the partition is when this is processed */
  take(partition: OwnedPartition, nextOffset: number): void {
    this.#partition = partition;
    this.#nextOffset = nextOffset;
    this.#counts = true;
  }

  /** What is in hand is processed, and still in hand: the application may go on with it. */
  count(): void {
    const partition = this.#partition;
    if (partition === undefined || !this.#counts) return;
    if (!(partition.processed! >= this.#nextOffset)) partition.processed = this.#nextOffset;
  }

  /** What is in hand is processed. */
  settle(): void {
    if (this.#partition === undefined) return;
    this.count();
    this.#letGo();
  }

  /** Nobody works on it any more, and it may not be finished. */
  abandon(): void {
    if (this.#partition !== undefined) this.#letGo();
  }

  stop(): void {}

  finish(): void {
    if (this.#partition !== undefined) this.#patience ??= setTimeout(() => this.abandon(), FINISH_TIMEOUT_MS);
  }

  isBusyWith(partition: OwnedPartition): boolean {
    return this.#partition === partition;
  }

  async drained(partition: OwnedPartition): Promise<void> {
    while (this.isBusyWith(partition)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  forget(partition: OwnedPartition): void {
    if (this.#partition === partition) this.#counts = false;
  }

  #letGo(): void {
    this.#partition = undefined;
    if (this.#patience !== undefined) clearTimeout(this.#patience);
    if (this.#waiting.length > 0) for (const wake of this.#waiting.splice(0)) wake();
  }
}
