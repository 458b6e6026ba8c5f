import type { SendAck, Waiter } from "./batch.js";

/** What `sendMany` did. */
export interface SendManyResult {
  readonly topic: string;
  readonly count: number;
  /** By partition; only those that got records. */
  readonly partitions: readonly SentRange[];
}

/** Other producers' records may lie between the first and the last offset. */
export interface SentRange {
  readonly partition: number;
  readonly count: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** One waiter for many records. */
export class SendManyOutcome implements Waiter {
  readonly #ranges = new Map<number, { partition: number; count: number; firstOffset: number; lastOffset: number }>();
  #unsettled = 0;
  #failure: { readonly error: unknown } | undefined;
  #settled: (() => void) | undefined;

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  expectOne(): void {
    this.#unsettled++;
  }

  /** Without a record that was expected. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  resolve({ partition, offset }: SendAck): void {
    const range = this.#ranges.get(partition);
    if (range === undefined) {
      this.#ranges.set(partition, { partition, count: 1, firstOffset: offset, lastOffset: offset });
    } else {
      range.count++;
      range.lastOffset = offset;
    }
    this.#settleOne();
  }

  reject(error: unknown): void {
    this.fail(error);
    this.#settleOne();
  }

  /** When everything expected is settled. */
  async result(topic: string): Promise<SendManyResult> {
    if (this.#unsettled > 0) await new Promise<void>((resolve) => (this.#settled = resolve));
    if (this.#failure !== undefined) throw this.#failure.error;
    const partitions = [...this.#ranges.values()].sort((a, b) => a.partition - b.partition);
    return { topic, count: partitions.reduce((sum, { count }) => sum + count, 0), partitions };
  }

  #settleOne(): void {
    if (--this.#unsettled === 0) this.#settled?.();
  }
}
