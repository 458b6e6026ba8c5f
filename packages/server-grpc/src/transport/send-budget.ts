/**
 * What all streams together may have read from the log and not yet sent. Whoever finds nothing free
 * waits, and is served in the order of coming; while many hold or want something, each gets less at
 * a time, so that a few large messages do not keep everybody else from their small ones.
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

  /** @param onShortage is called when somebody begins to wait */
  constructor(totalBytes: number, onShortage: () => void) {
    this.#totalBytes = totalBytes;
    this.#onShortage = onShortage;
  }

  /** Whether anybody waits. */
  get isShort(): boolean {
    return this.#waiting.size > 0;
  }

  /** How much there is for `waiting` now, taken; undefined where it is to wait. */
  take(waiting: Waiting): number | undefined {
    const granted = this.isShort ? undefined : this.#grant(waiting);
    if (granted === undefined) {
      this.#waiting.add(waiting);
      this.#onShortage();
    }
    return granted;
  }

  /** The same without waiting; 0 where it would have to. Those who wait already come first. */
  tryTake(wantedBytes: number, leastBytes: number): number {
    return this.isShort ? 0 : (this.#grant({ wantedBytes, leastBytes }) ?? 0);
  }

  leave(waiting: Waiting): void {
    if (this.#waiting.delete(waiting)) this.#serve();
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#serve();
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

  /** What is longer than the whole budget is granted when nobody else has anything. */
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

/** One call's part of the budget. */
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
    // A log that does not know of budgets hands out what was never taken.
    const held = Math.min(bytes, this.#heldBytes);
    this.#heldBytes -= held;
    this.#leaveIfIdle();
    if (held > 0) this.#budget.giveBack(held);
  }

  /**
   * The peer took a message of so many bytes, in so many ms: the next ones are as long as suits it.
   */
  sent(bytes: number, tookMs: number): void {
    this.#limitBytes = pacedBytes(this.#limitBytes, bytes, tookMs);
  }

  /**
   * Nothing more is taken; whoever waits gets the error. What is held stays so: its memory may
   * still be read to.
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

  /** Nobody reads to what is held any more: it is given back. */
  close(error: LogStoreError): void {
    this.cutOff(error);
    this.giveBack(this.#heldBytes);
  }

  #leaveIfIdle(): void {
    if (this.#heldBytes === 0 && this.#waiting === undefined) this.#budget.users.delete(this);
  }
}
