/**
 * The requests to a store and its responses. After a crash each partition must contain a prefix of
 * what was submitted to it, in order, including everything that was acknowledged with a durability
 * that survives that crash.
 */
import type { Durability } from "@logstore/protocol";

export interface SubmittedRecord {
  readonly key: Buffer | null;
  readonly value: Buffer;
}

/** A batch that its producer may resend. */
export interface SubmittedBatch {
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly nextOffset: number;
}

/** A partition at one point in time. */
export interface PartitionMoment {
  /**
   * The log start offset is at least `start`, which was seen or acknowledged, and at most
   * `startMost`, which was requested.
   */
  readonly start: number;
  readonly startMost: number;
  /** By offset; those at or above `length` were submitted later. */
  readonly records: readonly SubmittedRecord[];
  readonly length: number;
  readonly batches: readonly SubmittedBatch[];
  /** Every record below this offset survives a power cut. */
  readonly flushed: number;
  /** Every record below this offset survives a kill of the process. */
  readonly written: number;
}

export class PartitionHistory {
  #records: SubmittedRecord[] = [];
  #batches: SubmittedBatch[] = [];
  #flushed = 0;
  #written = 0;
  #start = 0;
  #startMost: number;
  /** Sequence number of the producer's next record. */
  nextSequence = 0;

  /** @param isRetained whether the log start moves only when records are deleted explicitly */
  constructor(isRetained: boolean) {
    this.#startMost = isRetained ? 0 : Number.POSITIVE_INFINITY;
  }

  get nextOffset(): number {
    return this.#records.length;
  }

  get batches(): readonly SubmittedBatch[] {
    return this.#batches;
  }

  submit(records: readonly SubmittedRecord[]): void {
    this.#records.push(...records);
  }

  submitBatch(bytes: Uint8Array, records: readonly SubmittedRecord[]): SubmittedBatch {
    const baseOffset = this.nextOffset;
    this.submit(records);
    const batch = { bytes, baseOffset, nextOffset: this.nextOffset };
    this.#batches.push(batch);
    this.nextSequence += records.length;
    return batch;
  }

  acknowledged(nextOffset: number, durability: Durability): void {
    this.#written = Math.max(this.#written, nextOffset);
    if (durability === "flushed") this.#flushed = Math.max(this.#flushed, nextOffset);
  }

  askedToDelete(beforeOffset: number): void {
    this.#startMost = Math.max(this.#startMost, beforeOffset);
  }

  startsAt(offset: number): void {
    this.#start = Math.max(this.#start, offset);
  }

  powerCut(): void {
    this.#written = this.#flushed;
  }

  /**
   * The store was opened and contains the first `length` records, which are durable from then on,
   * because readers may rely on them.
   */
  found(length: number): void {
    for (const { baseOffset, nextOffset } of this.#batches) {
      if (baseOffset >= length) this.nextSequence -= nextOffset - baseOffset;
    }
    this.#records = this.#records.slice(0, length);
    this.#batches = this.#batches.filter(({ baseOffset }) => baseOffset < length);
    this.#flushed = length;
    this.#written = length;
  }

  moment(): PartitionMoment {
    return {
      start: this.#start,
      startMost: this.#startMost,
      records: this.#records,
      length: this.#records.length,
      batches: this.#batches,
      flushed: this.#flushed,
      written: this.#written,
    };
  }
}
