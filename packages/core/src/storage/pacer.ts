/** Lets the event loop run between the steps of a long task. */
import { setImmediate as nextTurn } from "node:timers/promises";

export class Pacer {
  readonly #sliceMs: number;
  #begun = performance.now();
  #pausing: Promise<void> | undefined;

  /** @param sliceMs how long to run without a pause, in ms */
  constructor(sliceMs = 5) {
    this.#sliceMs = sliceMs;
  }

  /**
   * Whether the slice is used up. Tasks that share a pacer check again after a pause, right before
   * their next step.
   */
  get isDue(): boolean {
    return this.#pausing !== undefined || performance.now() - this.#begun >= this.#sliceMs;
  }

  /**
   * Awaited after each step: pauses if the slice is used up, or if another task with this pacer is
   * pausing.
   */
  async pause(): Promise<void> {
    if (!this.isDue) return;
    this.#pausing ??= nextTurn().then(() => {
      this.#pausing = undefined;
      this.#begun = performance.now();
    });
    await this.#pausing;
  }
}

/**
 * Shared by all requests of many steps: with a slice each, ten concurrent requests would block the
 * event loop ten times as long.
 */
export const sharedPacer = new Pacer();
