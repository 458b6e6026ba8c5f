/** What was acknowledged and what was read, partition by partition: nothing may be missing. */

/** Longest times without an acknowledgement, and without a read, in any partition, ms. */
export interface Pauses {
  readonly writes: number;
  readonly reads: number;
}

class Partition {
  /** The offset of each acknowledged record, by its number. */
  readonly offsets: number[] = [];
  /** Number that the group reads next. */
  nextRead = 0;
  lastAckAt = performance.now();
  lastReadAt = performance.now();
}

export class Ledger {
  acknowledged = 0;
  redelivered = 0;
  readonly complaints: string[] = [];
  readonly #partitions: readonly Partition[];
  #pauses = { writes: 0, reads: 0 };

  constructor(partitions: number) {
    this.#partitions = Array.from({ length: partitions }, () => new Partition());
  }

  /** Records that the group has read, each counted once. */
  get read(): number {
    return this.#partitions.reduce((sum, { nextRead }) => sum + nextRead, 0);
  }

  acked(partition: number, number: number, offset: number): void {
    const state = this.#partitions[partition]!;
    state.offsets[number] = offset;
    this.acknowledged++;
    const now = performance.now();
    this.#pauses.writes = Math.max(this.#pauses.writes, now - state.lastAckAt);
    state.lastAckAt = now;
  }

  /** The group has read a record: the next one, or one that it has read before. */
  delivered(partition: number, number: number): void {
    const state = this.#partitions[partition]!;
    const now = performance.now();
    this.#pauses.reads = Math.max(this.#pauses.reads, now - state.lastReadAt);
    state.lastReadAt = now;
    if (number < state.nextRead) {
      this.redelivered++;
      return;
    }
    if (number > state.nextRead)
      this.#complain(`partition ${partition}: ${number} was read after ${state.nextRead - 1}`);
    state.nextRead = number + 1;
  }

  /** Whether one record more than `numbers` was acknowledged and read in each partition. */
  isBeyond(numbers: readonly number[]): boolean {
    return this.#partitions.every(({ offsets, nextRead }, i) => offsets.length > numbers[i]! && nextRead > numbers[i]!);
  }

  /** Whether the group has read all that was acknowledged. */
  get isReadWholly(): boolean {
    return this.#partitions.every(({ offsets, nextRead }) => nextRead >= offsets.length);
  }

  /** The pauses since the last call. */
  takePauses(): Pauses {
    const pauses = this.#pauses;
    this.#pauses = { writes: 0, reads: 0 };
    return pauses;
  }

  /**
   * Compares with what the log holds in the end: the numbers of a partition's records by their
   * offset. Returns how many acknowledged records are missing.
   */
  lost(partition: number, numbersByOffset: readonly number[]): number {
    const { offsets } = this.#partitions[partition]!;
    const lost = offsets.filter((offset, number) => numbersByOffset[offset] !== number).length;
    if (lost > 0) this.#complain(`partition ${partition}: ${lost} acknowledged records are not in the log`);
    const doubled = numbersByOffset.length - new Set(numbersByOffset).size;
    if (doubled > 0) this.#complain(`partition ${partition}: ${doubled} records are in the log twice`);
    return lost;
  }

  #complain(what: string): void {
    this.complaints.push(what);
  }
}
