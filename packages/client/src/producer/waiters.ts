import type { Durability } from "@logstore/protocol";
import type { AppendAck } from "./append-ack.js";
import { SingleAcks } from "./single-acks.js";
import type { Waiter } from "./waiter.js";

/** Records that follow each other and have one waiter. */
interface Run {
  readonly waiter: Waiter;
  count: number;
}

/** The waiters of the records of a batch, in order. */
export class Waiters {
  #recordCount = 0;
  readonly #runs: Run[] = [];
  #last: Run | undefined;

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Adds a record, or several that follow each other. */
  add(waiter: Waiter, count = 1): void {
    this.#recordCount += count;
    if (this.#last?.waiter === waiter) {
      this.#last.count += count;
    } else {
      this.#last = { waiter, count };
      this.#runs.push(this.#last);
    }
  }

  /** Adds a record that has no waiter, and returns the promise of its acknowledgement. */
  addSingle(): Promise<AppendAck> {
    const last = this.#last?.waiter;
    const acks = last instanceof SingleAcks ? last : new SingleAcks();
    this.add(acks);
    return acks.add();
  }

  /** Acknowledges the records, of which the first has the offset `baseOffset`. */
  resolve(topic: string, partition: number, baseOffset: number, durability: Durability): void {
    let offset = baseOffset;
    for (const { waiter, count } of this.#runs) {
      const nextOffset = offset + count;
      waiter.resolve({ topic, partition, offset, nextOffset, durability });
      offset = nextOffset;
    }
  }

  reject(error: unknown): void {
    for (const { waiter, count } of this.#runs) waiter.reject(error, count);
  }

  /** Divides the records among batches of `counts` records. */
  divide(counts: readonly number[]): Waiters[] {
    const parts = counts.map(() => new Waiters());
    let at = 0;
    let room = counts[0]!;
    for (const { waiter, count } of this.#runs) {
      const pieces: [part: Waiters, count: number][] = [];
      for (let left = count; left > 0; ) {
        if (room === 0) room = counts[++at]!;
        const taken = Math.min(left, room);
        pieces.push([parts[at]!, taken]);
        left -= taken;
        room -= taken;
      }
      const waiters = pieces.length === 1 ? [waiter] : waiter.divide(pieces.map(([, taken]) => taken));
      for (const [i, [part, taken]] of pieces.entries()) part.add(waiters[i]!, taken);
    }
    return parts;
  }
}
