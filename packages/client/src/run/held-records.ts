import type { PartitionWork } from "./partition-work.js";

/** How many records may be in memory. */
export interface HeldLimits {
  readonly maxInFlightRecords: number;
  readonly maxInFlightBytes: number;
}

/**
 * Counts the records of a run that are in memory, so that reading waits at the limits. Records of a
 * paused partition do not count: they take no room from other partitions.
 */
export class HeldRecords {
  readonly #limits: HeldLimits;
  #records = 0;
  #bytes = 0;
  #room: (() => void) | undefined;

  constructor(limits: HeldLimits) {
    this.#limits = limits;
  }

  get isFull(): boolean {
    const { maxInFlightRecords, maxInFlightBytes } = this.#limits;
    return this.#records >= maxInFlightRecords || this.#bytes >= maxInFlightBytes;
  }

  /** Resolves when there is room, or {@link stopWaiting} is called. */
  room(): Promise<void> {
    return new Promise((resolve) => (this.#room = resolve));
  }

  stopWaiting(): void {
    this.#room?.();
  }

  /** Adds records of a partition, or removes them where the numbers are negative. */
  add(work: PartitionWork, records: number, bytes: number): void {
    work.heldRecords += records;
    work.heldBytes += bytes;
    if (work.resumed === undefined) this.#count(records, bytes);
  }

  /** Leaves out the records of a partition that was paused. */
  leaveOut(work: PartitionWork): void {
    this.#count(-work.heldRecords, -work.heldBytes);
  }

  /** Counts the records of a partition that was resumed. */
  include(work: PartitionWork): void {
    this.#count(work.heldRecords, work.heldBytes);
  }

  #count(records: number, bytes: number): void {
    this.#records += records;
    this.#bytes += bytes;
    if (!this.isFull) this.stopWaiting();
  }
}
