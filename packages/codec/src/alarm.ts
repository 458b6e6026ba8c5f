import { type OneShotTimer, startTimer } from "./timer.js";

/**
 * A timer for many waits, few of which last until they are due. To set it for another wait costs
 * next to nothing, where a timer for each would be a large part of what the wait costs: it stays
 * set, and when it rings, the caller looks what is due, and sets it for what is not.
 */
export class Alarm {
  readonly #ring: () => void;
  #timer: OneShotTimer | undefined;
  /** When the timer fires. */
  #firesAt = Number.POSITIVE_INFINITY;
  /** What started the timer. A test that replaces it may keep the timer from firing. */
  #startedBy: typeof setTimeout | undefined;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /**
   * Rings at `dueAt`, or before; never if that is Infinity. Keeps the process alive until then.
   *
   * @param dueAt monotonic ms
   */
  set(dueAt: number): void {
    if (dueAt === Number.POSITIVE_INFINITY) return;
    if (dueAt >= this.#firesAt && this.#startedBy === setTimeout) {
      this.#timer?.keepAlive(true);
      return;
    }
    this.#timer?.cancel();
    this.#firesAt = Math.min(dueAt, this.#firesAt);
    this.#startedBy = setTimeout;
    this.#timer = startTimer(Math.ceil(this.#firesAt - performance.now()), () => {
      this.#forget();
      this.#ring();
    });
  }

  /** Nothing waits at the moment: it no longer keeps the process alive, and may still ring. */
  rest(): void {
    this.#timer?.keepAlive(false);
  }

  /** It does not ring until it is set again. */
  cancel(): void {
    this.#timer?.cancel();
    this.#forget();
  }

  #forget(): void {
    this.#timer = undefined;
    this.#firesAt = Number.POSITIVE_INFINITY;
  }
}
