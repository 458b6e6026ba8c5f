/**
 * Limits the memory of the batches that were read from the log, for all streams together, and have
 * not been sent. A stream that finds no free memory waits, and waiting streams are served in order.
 * The more streams hold or request memory, the less each of them gets at a time, so that a few
 * large messages do not delay the small messages of other streams.
 */
import { callAll, type LogStoreError } from "@logstore/codec";
import type { ReadBudget } from "@logstore/protocol";
import { fairShareBytes, MIN_SHARE_BYTES, pacedBytes } from "./message-size.js";

interface Waiting {
  readonly wantedBytes: number;
  readonly leastBytes: number;
  readonly granted: (bytes: number) => void;
}

export class SendBudget {
  readonly #totalBytes: number;
  readonly #onShortage: () => void;
  #usedBytes = 0;
  readonly #waiting = new Set<Waiting>();
  /** Leases that hold something or wait for it. */
  readonly users = new Set<Lease>();

  /** @param onShortage called when a stream starts to wait */
  constructor(totalBytes: number, onShortage: () => void) {
    this.#totalBytes = totalBytes;
    this.#onShortage = onShortage;
  }

  /** Whether any stream waits. */
  get isShort(): boolean {
    return this.#waiting.size > 0;
  }

  /** Takes what is available for `waiting` now; returns undefined if it must wait. */
  take(waiting: Waiting): number | undefined {
    const granted = this.isShort ? undefined : this.#grant(waiting);
    if (granted === undefined) {
      this.#waiting.add(waiting);
      this.#onShortage();
    }
    return granted;
  }

  /** Like `take`, but returns 0 instead of waiting. Streams that wait already come first. */
  tryTake(wantedBytes: number, leastBytes: number): number {
    return this.isShort ? 0 : (this.#grant({ wantedBytes, leastBytes }) ?? 0);
  }

  leave(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.#serve();
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.isShort) this.#serve();
  }

  #serve(): void {
    callAll(this.#served());
  }

  *#served(): Iterable<() => void> {
    for (const waiting of this.#waiting) {
      const granted = this.#grant(waiting);
      if (granted === undefined) return;
      this.#waiting.delete(waiting);
      yield () => waiting.granted(granted);
    }
  }

  /** A take that exceeds the whole budget is granted when nothing else is held. */
  #grant({ wantedBytes, leastBytes }: Pick<Waiting, "wantedBytes" | "leastBytes">): number | undefined {
    const freeBytes = this.#totalBytes - this.#usedBytes;
    const share = Math.min(wantedBytes, fairShareBytes(this.#totalBytes, this.users.size));
    const enough = Math.max(leastBytes, Math.min(share, MIN_SHARE_BYTES));
    if (freeBytes < enough && this.#usedBytes > 0) return undefined;
    const granted = Math.max(enough, Math.min(share, freeBytes));
    this.#usedBytes += granted;
    return granted;
  }
}

/** The share of one call in the budget. */
export class Lease implements ReadBudget {
  readonly #budget: SendBudget;
  #heldBytes = 0;
  #limitBytes = Number.POSITIVE_INFINITY;
  #waiting: { readonly entry: Waiting; readonly reject: (error: LogStoreError) => void } | undefined;
  #over: LogStoreError | undefined;

  constructor(budget: SendBudget) {
    this.#budget = budget;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  take(wantedBytes: number, leastBytes: number): number | Promise<number> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    this.#budget.users.add(this);
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const granted = (bytes: number) => {
      this.#waiting = undefined;
      this.#heldBytes += bytes;
      resolve(bytes);
    };
    const entry = { wantedBytes: Math.min(wantedBytes, this.#limitBytes), leastBytes, granted };
    const bytes = this.#budget.take(entry);
    if (bytes === undefined) {
      this.#waiting = { entry, reject };
      return promise;
    }
    this.#heldBytes += bytes;
    return bytes;
  }

  tryTake(wantedBytes: number, leastBytes: number): number {
    if (this.#over !== undefined) return 0;
    const bytes = this.#budget.tryTake(Math.min(wantedBytes, this.#limitBytes), leastBytes);
    this.#heldBytes += bytes;
    if (bytes > 0) this.#budget.users.add(this);
    return bytes;
  }

  giveBack(bytes: number): void {
    // A log that ignores budgets delivers bytes that were never taken.
    const held = Math.min(bytes, this.#heldBytes);
    this.#heldBytes -= held;
    this.#leaveIfIdle();
    if (held > 0) this.#budget.giveBack(held);
  }

  /**
   * The peer accepted a message of that many bytes in that many ms, which determines the size of
   * the next ones.
   */
  sent(bytes: number, tookMs: number): void {
    this.#limitBytes = pacedBytes(this.#limitBytes, bytes, tookMs);
  }

  /**
   * Forbids further takes; a waiting one fails with the error. The memory that is held stays held,
   * because it may still be in use.
   */
  cutOff(error: LogStoreError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) return;
    this.#budget.leave(waiting.entry);
    waiting.reject(error);
    this.#leaveIfIdle();
  }

  /** Returns the memory that is held, which must no longer be in use. */
  close(error: LogStoreError): void {
    this.cutOff(error);
    this.giveBack(this.#heldBytes);
  }

  #leaveIfIdle(): void {
    if (this.#heldBytes === 0 && this.#waiting === undefined) this.#budget.users.delete(this);
  }
}
