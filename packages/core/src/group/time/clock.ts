/** Time as the coordinator knows it. */

import { startTimer } from "@logstore/codec";
export interface Clock {
  /** ms since some moment. It never goes back, and nobody sets it. */
  monotonic(): number;
  /** Calls back once after so many ms; returns what prevents it. */
  after(ms: number, callback: () => void): () => void;
  /**
   * Calls back when everybody who has something to say in this turn of the event loop has said it.
   */
  soon(callback: () => void): void;
  /**
   * Begins a slice of work; returns whether it has taken so long that others are to have their
   * turn.
   */
  slice(): () => boolean;
}

const SLICE_MS = 8;

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = startTimer(ms, callback, { keepsAlive: false });
    return () => timer.cancel();
  },
  soon: (callback) => void setImmediate(callback),
  slice() {
    const end = performance.now() + SLICE_MS;
    return () => performance.now() >= end;
  },
};

/** A process that is late by more than this was not there to hear anybody. */
const LATE_MS = 250;

/**
 * A clock that stands still while the process does: stopped, or starved, it hears no heartbeats,
 * and nobody's silence counts. It notices when it is not looked at by the time it was to be.
 */
export class AttentiveClock {
  readonly #clock: Clock;
  #awayMs = 0;
  #expectedBy = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    const now = this.#clock.monotonic();
    if (now > this.#expectedBy + LATE_MS) {
      this.#awayMs += now - this.#expectedBy;
      this.#expectedBy = now;
    }
    return now - this.#awayMs;
  }

  /** Calls back in so many ms, in which it may not be looked at. */
  after(ms: number, callback: () => void): () => void {
    this.now();
    this.#expectedBy = this.#clock.monotonic() + ms;
    const cancel = this.#clock.after(ms, callback);
    return () => {
      this.#expectedBy = Number.POSITIVE_INFINITY;
      cancel();
    };
  }
}
