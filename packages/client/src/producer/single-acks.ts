import type { AppendAck } from "./append-ack.js";
import { DividedAcks } from "./divided-acks.js";
import type { Waiter } from "./waiter.js";

/** Returns the acknowledgement of the next record at each call. */
type NextAck = () => AppendAck | Promise<AppendAck>;

/**
 * The acknowledgements of records that are sent one by one and follow each other in a batch. Their
 * promises derive from one that they share, by one function, which takes a third of the memory of
 * promises with functions of their own. The reactions of a promise are called in the order in which
 * they were added, so the n-th call is for the n-th record.
 */
export class SingleAcks implements Waiter {
  readonly #settled = Promise.withResolvers<NextAck>();

  /** Adds a record, and returns the promise of its acknowledgement. */
  add(): Promise<AppendAck> {
    return this.#settled.promise.then(callNext);
  }

  resolve({ topic, partition, offset, durability }: AppendAck): void {
    let at = offset;
    this.#settled.resolve(() => ({ topic, partition, offset: at, nextOffset: ++at, durability }));
  }

  reject(error: unknown): void {
    this.#settled.reject(error);
  }

  divide(counts: readonly number[]): readonly Waiter[] {
    const ofAll = counts.map((count) => Array.from({ length: count }, () => Promise.withResolvers<AppendAck>()));
    const ofEach = ofAll.flat().values();
    this.#settled.resolve(() => ofEach.next().value!.promise);
    return ofAll.map((acks) => new DividedAcks(acks));
  }
}

function callNext(next: NextAck): AppendAck | Promise<AppendAck> {
  return next();
}
