/**
 * Work that is made of many small steps, and lets others have a turn of the event loop in between.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

export class Pacer {
  readonly #sliceMs: number;
  #begun = performance.now();
  #pausing: Promise<void> | undefined;

  /** @param sliceMs how long it goes on without a pause */
  constructor(sliceMs = 5) {
    this.#sliceMs = sliceMs;
  }

  /**
   * Whether nothing is left of the slice. Many that work in parallel look again after a pause,
   * right before their next step.
   */
  get isDue(): boolean {
    return this.#pausing !== undefined || performance.now() - this.#begun >= this.#sliceMs;
  }

  /**
   * To be awaited after each step: pauses where that is due, also for others that take steps of the
   * same work meanwhile.
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
 * The slice that all requests of many steps share: with one of its own each, ten at once would hold
 * the event loop ten times as long.
 */
export const sharedPacer = new Pacer();
