/**
 * Looks at deadlines when the nearest one has come, and now and then, to notice when the process
 * was away itself.
 */
import type { AttentiveClock } from "./clock.js";

const MOST_MS_UNSEEN = 1000;

export class Watch {
  readonly #clock: AttentiveClock;
  readonly #look: (now: number) => number | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancel = () => {};
  #isStopped = false;

  /** @param look told the time; returns the next deadline, undefined where nobody has one */
  constructor(clock: AttentiveClock, look: (now: number) => number | undefined) {
    this.#clock = clock;
    this.#look = look;
  }

  /** There is a deadline at this time. */
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
