import type { AppendAck } from "./append-ack.js";
import type { Waiter } from "./waiter.js";

/**
 * The acknowledgements of records whose batch was split: each has a promise of its own. A further
 * split divides the promises and adds no link to them, because a record behind a longer chain would
 * be settled after those that follow it.
 */
export class DividedAcks implements Waiter {
  readonly #acks: readonly PromiseWithResolvers<AppendAck>[];

  constructor(acks: readonly PromiseWithResolvers<AppendAck>[]) {
    this.#acks = acks;
  }

  resolve({ topic, partition, offset, durability }: AppendAck): void {
    let at = offset;
    for (const ack of this.#acks) ack.resolve({ topic, partition, offset: at, nextOffset: ++at, durability });
  }

  reject(error: unknown): void {
    for (const ack of this.#acks) ack.reject(error);
  }

  divide(counts: readonly number[]): DividedAcks[] {
    let end = 0;
    return counts.map((count) => {
      end += count;
      return new DividedAcks(this.#acks.slice(end - count, end));
    });
  }
}
