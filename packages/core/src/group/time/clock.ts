/** The clock of the coordinator. */
import { startTimer } from "@logstore/codec";

export interface Clock {
  /** ms since an arbitrary point in time. Never goes back, and cannot be set. */
  monotonic(): number;
  /** Calls back once after `ms`; returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back after all input of this turn of the event loop has arrived. */
  soon(callback: () => void): void;
  /**
   * Starts a time slice; returns a function that tells whether it is used up and other work should
   * run.
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

/** A process that is later than this was unable to receive messages. */
const LATE_MS = 250;

/**
 * A clock that stops while the process is stopped or starved: it then receives no heartbeats, so
 * that the members' silence must not count. It detects this when it is read later than it was due.
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

  /** Calls back after `ms`, during which the clock need not be read. */
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
