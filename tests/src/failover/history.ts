/**
 * What was acknowledged, read and delivered in a cluster, and what of it contradicts the promise.
 */

/** How the promise can be broken. */
export type Breach = "lost" | "doubled" | "reordered" | "other";

export interface Problem {
  readonly breach: Breach;
  readonly what: string;
}

export class History {
  readonly problems: Problem[] = [];
  /** By partition: the values at their offsets, whoever has seen them. */
  readonly #values: string[][];
  /** By partition: the next offset of the reader that follows the log. */
  readonly #read: number[];
  /** By partition: the offset after the last one that the group was given. */
  readonly #delivered: number[];
  /** By partition: all acknowledged records are below it. */
  readonly #ackedEnd: number[];
  /** By partition: records below it may be deleted. */
  readonly #deletable: number[];
  readonly #acked = new Map<string, { readonly partition: number; readonly offset: number }>();
  redelivered = 0;

  constructor(partitions: number) {
    const each = <T>(value: () => T) => Array.from({ length: partitions }, value);
    this.#values = each(() => []);
    this.#read = each(() => 0);
    this.#delivered = each(() => 0);
    this.#ackedEnd = each(() => 0);
    this.#deletable = each(() => 0);
  }

  get acks(): number {
    return this.#acked.size;
  }

  problem(breach: Breach, what: string): void {
    this.problems.push({ breach, what });
  }

  acked(value: string, partition: number, offset: number): void {
    this.#acked.set(value, { partition, offset });
    this.#ackedEnd[partition] = Math.max(this.#ackedEnd[partition]!, offset + 1);
    this.#seen(partition, offset, value);
  }

  /** The reader that follows the log: it misses nothing. */
  read(partition: number, offset: number, value: string): void {
    const expected = this.#read[partition]!;
    if (offset !== expected) this.problem("other", `reader: offset ${partition}/${offset} follows ${expected - 1}`);
    this.#read[partition] = offset + 1;
    this.#seen(partition, offset, value);
  }

  /** A member of the group: nothing for the first time before everything that comes before it. */
  delivered(partition: number, offset: number, value: string): void {
    const expected = this.#delivered[partition]!;
    if (offset > expected) this.problem("reordered", `group: ${partition}/${offset} before ${partition}/${expected}`);
    if (offset < expected) this.redelivered++;
    this.#delivered[partition] = Math.max(expected, offset + 1);
    this.#seen(partition, offset, value);
  }

  /** An offset up to which nothing is needed any more. */
  toDelete(partition: number): number {
    const offset = Math.min(this.#read[partition]!, this.#delivered[partition]!);
    this.#deletable[partition] = Math.max(this.#deletable[partition]!, offset);
    return offset;
  }

  /** Whether the reader and the group have got everything that is acknowledged. */
  get isCaughtUp(): boolean {
    return this.#ackedEnd.every((end, i) => this.#read[i]! >= end && this.#delivered[i]! >= end);
  }

  /** Compares with the records of a partition, as a reader finds them at the end. */
  compare(partition: number, records: readonly { readonly offset: number; readonly value: string }[]): void {
    const start = records[0]?.offset ?? 0;
    if (start > this.#deletable[partition]!) this.problem("lost", `partition ${partition} begins at ${start}`);
    for (const [i, { offset, value }] of records.entries()) {
      if (offset !== start + i) this.problem("other", `${partition}/${offset} follows ${start + i - 1}`);
      this.#seen(partition, offset, value);
    }
    const end = start + records.length;
    for (const [value, { partition: its, offset }] of this.#acked)
      if (its === partition && offset >= end) this.problem("lost", `${value} at ${partition}/${offset}`);
  }

  /** Each value is there once, and those of a producer in the order of its sends. */
  checkOrder(): void {
    for (const [partition, values] of this.#values.entries()) {
      const last = new Map<string, number>();
      for (const [offset, value] of values.entries()) {
        const [producer, n] = value.split(".") as [string, string];
        const before = last.get(producer) ?? -1;
        const what = `${value} at ${partition}/${offset} after ${producer}.${before}`;
        if (Number(n) < before) this.problem("reordered", what);
        if (Number(n) === before) this.problem("doubled", what);
        last.set(producer, Math.max(before, Number(n)));
      }
    }
  }

  #seen(partition: number, offset: number, value: string): void {
    const values = this.#values[partition]!;
    const before = values[offset] ?? value;
    values[offset] = before;
    if (before !== value) this.problem("lost", `${partition}/${offset} was ${before}, and is ${value}`);
  }
}
