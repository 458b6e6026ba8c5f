/**
 * Checks deadlines when the nearest one is due, and periodically, so that the clock notices when
 * the process was stopped.
 */
import type { AttentiveClock } from "./clock.js";

const MOST_MS_UNSEEN = 1000;

export class Watch {
  readonly #clock: AttentiveClock;
  readonly #look: (now: number) => number | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancel = () => {};
  #isStopped = false;

  /** @param look called with the time; returns the next deadline, undefined if there is none */
  constructor(clock: AttentiveClock, look: (now: number) => number | undefined) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Adds a deadline. */
  by(at: number): void {
    const now = this.#clock.now();
    const wakeAt = Math.min(at, now + MOST_MS_UNSEEN);
    if (wakeAt >= this.#wakeAt || this.#isStopped) return;
    this.#cancel();
    this.#wakeAt = wakeAt;
    this.#cancel = this.#clock.after(Math.max(0, Math.ceil(wakeAt - now)), () => this.#wake());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #wake(): void {
    const now = this.#clock.now();
    this.#cancel();
    this.#wakeAt = Number.POSITIVE_INFINITY;
    const next = this.#look(now);
    if (next !== undefined) this.by(next);
  }
}
