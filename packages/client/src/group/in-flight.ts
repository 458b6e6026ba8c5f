import { LoopBody } from "../reader/loop-body.js";
import type { OwnedPartition } from "./owned-partition.js";

/** The records that the application is processing. */
export interface InFlight {
  /** Begins no further record of the partition. */
  stop(partition: OwnedPartition): void;
  /** Begins no further record of the partition until {@link resume}. */
  pause(partition: OwnedPartition): void;
  resume(partition: OwnedPartition): void;
  isBusyWith(partition: OwnedPartition): boolean;
  /** Resolves when no record of the partition is being processed any more. */
  drained(partition: OwnedPartition): Promise<void>;
  /**
   * Records of the partition that are being processed do not count as processed when they are done.
   */
  forget(partition: OwnedPartition): void;
  /** Called at the end of the reading: no further record is begun. */
  finish(): void;
  /** Counts the record that the caller is processing as processed. */
  count(): void;
  /**
   * Stops waiting for the record that the caller is processing, because the caller waits for the
   * end of the reading.
   */
  release(): void;
  /** The offset of the partition's next record to be delivered. */
  position(partition: OwnedPartition): number | undefined;
  /** Stops waiting for records that are being processed; they do not count as processed. */
  abandon(): void;
}

/**
 * The record or batch that a loop is processing: delivered, and processed when the loop asks for
 * the next one.
 */
export class InHand implements InFlight {
  readonly body = new LoopBody();
  #partition: OwnedPartition | undefined;
  #nextOffset = 0;
  #counts = true;
  #waiting: (() => void)[] = [];

  /** @param nextOffset position of the partition once the record or batch is processed */
  take(partition: OwnedPartition, nextOffset: number): void {
    this.#partition = partition;
    this.#nextOffset = nextOffset;
    this.#counts = true;
  }

  /** Counts the record or batch as processed, although the loop may go on with it. */
  count(): void {
    const partition = this.#partition;
    if (partition === undefined || !this.#counts) return;
    if (!(partition.processed! >= this.#nextOffset)) partition.processed = this.#nextOffset;
  }

  /** The loop has asked for the next one: the record or batch is processed. */
  settle(): void {
    if (this.#partition === undefined) return;
    this.count();
    this.#letGo();
  }

  /** The loop was left: the record or batch is not processed. */
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
