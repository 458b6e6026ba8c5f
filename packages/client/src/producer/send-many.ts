import type { AppendAck } from "./append-ack.js";
import type { Waiter } from "./waiter.js";

/** The result of `sendMany`: where its records are. */
export interface SendManyResult {
  readonly topic: string;
  /** Number of records sent. */
  readonly count: number;
  /** The partitions that received records, in ascending order. */
  readonly partitions: readonly SentRange[];
}

/** The records sent to one partition. Records of other producers may lie between them. */
export interface SentRange {
  readonly partition: number;
  /** Number of records sent to this partition. */
  readonly count: number;
  /** Offset of the first record. */
  readonly offset: number;
  /** Offset after the last record. */
  readonly nextOffset: number;
}

/** Receives the outcomes of many records. */
export class SendManyOutcome implements Waiter {
  readonly #ranges = new Map<number, { partition: number; count: number; offset: number; nextOffset: number }>();
  #unsettled = 0;
  #failure: { readonly error: unknown } | undefined;
  #settled: (() => void) | undefined;

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  expectOne(): void {
    this.#unsettled++;
  }

  /** Reports a failure that belongs to no expected record. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  resolve({ partition, offset, nextOffset }: AppendAck): void {
    const count = nextOffset - offset;
    const range = this.#ranges.get(partition);
    if (range === undefined) {
      this.#ranges.set(partition, { partition, count, offset, nextOffset });
    } else {
      range.count += count;
      // A response that is lost is given again after those to later batches.
      range.offset = Math.min(range.offset, offset);
      range.nextOffset = Math.max(range.nextOffset, nextOffset);
    }
    this.#settle(count);
  }

  reject(error: unknown, count: number): void {
    this.fail(error);
    this.#settle(count);
  }

  divide(counts: readonly number[]): SendManyOutcome[] {
    return counts.map(() => this);
  }

  /** Resolves when every expected record is settled. */
  async result(topic: string): Promise<SendManyResult> {
    if (this.#unsettled > 0) await new Promise<void>((resolve) => (this.#settled = resolve));
    if (this.#failure !== undefined) throw this.#failure.error;
    const partitions = [...this.#ranges.values()].sort((a, b) => a.partition - b.partition);
    return { topic, count: partitions.reduce((sum, { count }) => sum + count, 0), partitions };
  }

  #settle(count: number): void {
    this.#unsettled -= count;
    if (this.#unsettled === 0) this.#settled?.();
  }
}
