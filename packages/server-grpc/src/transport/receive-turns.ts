/**
 * Fair shares of the event loop for appends. A turn of the loop processes a limited number of
 * request bytes; each connection has an equal share, and one that has used up its share continues
 * in the next turn. However much a greedy connection has sent ahead, a request of another one waits
 * for a turn of limited length. See docs/decisions/0027-fair-turns-for-appends.md.
 */

import { callAll } from "@logstore/codec";

/** Cost of a request in addition to its bytes, because a short one costs more than its bytes. */
export const REQUEST_COST_BYTES = 16 * 1024;

/** Any object that identifies a connection; undefined if it has closed. */
type Connection = object | undefined;

export class ReceiveTurns {
  readonly #turnBytes: number;
  /** What each connection has used in this turn. */
  #taken = new Map<Connection, number>();
  /** Number of connections with requests in the previous turn. */
  #activeBefore = 0;
  /** Waiting callers of each connection, in order of arrival. */
  readonly #waiting = new Map<Connection, Set<() => void>>();
  #isNextDue = false;

  /** @param turnBytes limit for the requests of one turn, of all connections together */
  constructor(turnBytes: number) {
    this.#turnBytes = turnBytes;
  }

  /** A request of that many bytes arrived on a connection: it counts in this turn. */
  took(connection: Connection, bytes: number): void {
    this.#charge(connection, bytes);
  }

  /**
   * Calls `goOn` once, when the connection may process another request of any size: synchronously,
   * or in a later turn. Returns a function that stops waiting.
   */
  whenTurn(connection: Connection, goOn: () => void): () => void {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined && this.#hasShare(connection)) {
      this.#charge(connection, REQUEST_COST_BYTES);
      goOn();
      return () => {};
    }
    if (waiting === undefined) this.#waiting.set(connection, new Set([goOn]));
    else waiting.add(goOn);
    return () => this.#leave(connection, goOn);
  }

  #hasShare(connection: Connection): boolean {
    const sharing = Math.max(this.#activeBefore, this.#taken.size, 1);
    return (this.#taken.get(connection) ?? 0) < this.#turnBytes / sharing;
  }

  #charge(connection: Connection, bytes: number): void {
    this.#taken.set(connection, (this.#taken.get(connection) ?? 0) + bytes);
    if (this.#isNextDue) return;
    this.#isNextDue = true;
    setImmediate(() => this.#nextTurn());
  }

  #leave(connection: Connection, goOn: () => void): void {
    const waiting = this.#waiting.get(connection);
    waiting?.delete(goOn);
    if (waiting?.size === 0) this.#waiting.delete(connection);
  }

  /** Waiting requests proceed, one per connection in rounds, as far as the shares allow. */
  #nextTurn(): void {
    this.#isNextDue = false;
    this.#activeBefore = this.#taken.size;
    this.#taken = new Map();
    callAll(this.#served());
  }

  *#served(): Iterable<() => void> {
    let served: boolean;
    do {
      served = false;
      for (const [connection, waiting] of [...this.#waiting]) {
        if (!this.#hasShare(connection)) continue;
        const [goOn] = waiting;
        this.#leave(connection, goOn!);
        this.#charge(connection, REQUEST_COST_BYTES);
        served = true;
        yield goOn!;
      }
    } while (served);
  }
}
