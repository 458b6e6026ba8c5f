import { LoopBody } from "../reader/loop-body.js";
import type { OwnedPartition } from "./owned-partition.js";

/** What the application is working on. */
export interface InFlight {
  /** Nothing more of the partition is begun. */
  stop(partition: OwnedPartition): void;
  /** Nothing more of the partition is begun until {@link resume}. */
  pause(partition: OwnedPartition): void;
  resume(partition: OwnedPartition): void;
  isBusyWith(partition: OwnedPartition): boolean;
  /** Resolves when nothing of the partition is worked on any more. */
  drained(partition: OwnedPartition): Promise<void>;
  /** What was begun of the partition does not count as processed. */
  forget(partition: OwnedPartition): void;
  /** The reading is over: what is worked on is all there will be. */
  finish(): void;
  /** What the caller has in hand counts as processed. */
  count(): void;
  /** The caller, which has something in hand, waits for the end: it cannot be waited for. */
  release(): void;
  /** Offset of the next record of a partition to be handed out. */
  position(partition: OwnedPartition): number | undefined;
  /** What is worked on is not waited for any longer, and does not count. */
  abandon(): void;
}

/**
 * One record or batch, as loops have it: handed out, and processed when the next one is asked for.
 */
export class InHand implements InFlight {
  readonly body = new LoopBody();
  #partition: OwnedPartition | undefined;
  #nextOffset = 0;
  #counts = true;
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

  release(): void {
    if (this.body.isRunning) this.abandon();
  }

  position({ position }: OwnedPartition): number | undefined {
    return position;
  }

  pause(): void {}

  resume(): void {}

  finish(): void {}

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
    if (this.#waiting.length > 0) for (const wake of this.#waiting.splice(0)) wake();
  }
}
