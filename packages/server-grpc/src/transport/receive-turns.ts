/**
 * Fair shares of the event loop for those who append. A turn of the loop takes requests of so many
 * bytes in all; each connection has an equal share of that, and one that has used it up goes on in
 * the next turn. However much a greedy connection has sent ahead, a request of another one waits
 * for a turn of bounded length. See docs/decisions/0027-fair-turns-for-appends.md.
 */

import { callAll } from "@logstore/codec";

/** What a request counts for beside its bytes: a short one costs more than these. */
export const REQUEST_COST_BYTES = 16 * 1024;

/** Whatever stands for a connection; undefined where it is gone already. */
type Connection = object | undefined;

export class ReceiveTurns {
  readonly #turnBytes: number;
  /** What each connection has had in this turn. */
  #taken = new Map<Connection, number>();
  /** Connections that had a request in the turn before. */
  #activeBefore = 0;
  /** Who goes on in the next turn; of a connection in the order of coming. */
  readonly #waiting = new Map<Connection, Set<() => void>>();
  #isNextDue = false;

  /** @param turnBytes requests of one turn, of all connections together */
  constructor(turnBytes: number) {
    this.#turnBytes = turnBytes;
  }

  /** A request of so many bytes came on a connection: it counts in this turn. */
  took(connection: Connection, bytes: number): void {
    this.#charge(connection, bytes);
  }

  /**
   * Calls `goOn`, once, when the connection may have another request, of whatever size: at once, or
   * in a later turn. Who does not wait any more calls what is returned.
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

  /** Who waits goes on, one request a connection and round again, as far as the shares go. */
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
