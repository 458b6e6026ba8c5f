/** What waits to be written to a partition, in order of arrival. */
import { BufferFullError, type RecordBatch } from "@logstore/codec";
import type { Appended } from "@logstore/core/engine";

interface Pending<Result> {
  /** When its caller waits no longer, by `performance.now()`. */
  readonly deadline: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Batches to append. */
export interface PendingAppend extends Pending<Omit<Appended, "durability">> {
  readonly kind: "append";
  readonly batches: readonly RecordBatch[];
  readonly byteLength: number;
  readonly expectedOffset: number | undefined;
}

/** The log start offset moves. */
export interface PendingStart extends Pending<void> {
  readonly kind: "start";
  readonly offset: number;
}

export type PendingWrite = PendingAppend | PendingStart;

export class AppendQueue {
  readonly #maxBytes: number;
  readonly #pending: PendingWrite[] = [];
  #bytes = 0;

  /** @param maxBytes more than that is refused; Infinity: nothing is */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  add(write: PendingWrite): void {
    this.#pending.push(write);
    this.#bytes += bytesOf(write);
  }

  /**
   * Removes and returns the oldest appends, together of `maxBytes` unless one is larger, or the
   * oldest other write.
   */
  take(maxBytes: number): PendingWrite[] {
    let [count, bytes] = [0, 0];
    for (const write of this.#pending) {
      if (count > 0 && (write.kind === "start" || bytes + write.byteLength > maxBytes)) break;
      count++;
      bytes += bytesOf(write);
      if (write.kind === "start") break;
    }
    return this.#remove(count);
  }

  takeAll(): PendingWrite[] {
    return this.#remove(this.#pending.length);
  }

  /** Those whose callers wait no longer. All wait equally long. */
  takeExpired(now: number): PendingWrite[] {
    const count = this.#pending.findIndex(({ deadline }) => deadline > now);
    return this.#remove(count === -1 ? this.#pending.length : count);
  }

  /**
   * @throws BufferFullError if so many more bytes may not wait, beside `otherBytes` that wait
   * elsewhere
   */
  refuseWhenFull(otherBytes: number, moreBytes: number): void {
    const waiting = otherBytes + this.#bytes;
    if (waiting === 0 || waiting + moreBytes <= this.#maxBytes) return;
    throw new BufferFullError(
      `${waiting} bytes wait to be written, and ${this.#maxBytes} may: await earlier appends before the next ones`,
      { expected: this.#maxBytes, actual: waiting },
    );
  }

  #remove(count: number): PendingWrite[] {
    const taken = this.#pending.splice(0, count);
    for (const write of taken) this.#bytes -= bytesOf(write);
    return taken;
  }
}

function bytesOf(write: PendingWrite): number {
  return write.kind === "append" ? write.byteLength : 0;
}
