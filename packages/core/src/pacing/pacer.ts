/** Lets the event loop run between the steps of a long task. */
import { setImmediate as nextTurn } from "node:timers/promises";

export class Pacer {
  readonly #sliceMs: number;
  /** Whether a step was taken in this turn of the event loop, and when the first one was. */
  #isInTurn = false;
  #begun = 0;
  #pausing: Promise<void> | undefined;

  /** @param sliceMs how long to run in one turn of the event loop, in ms */
  constructor(sliceMs = 5) {
    this.#sliceMs = sliceMs;
  }

  /**
   * Whether the slice is used up. Tasks that share a pacer check again after a pause, right before
   * their next step.
   */
  get isDue(): boolean {
    if (this.#pausing !== undefined) return true;
    if (!this.#isInTurn) this.#beginTurn();
    return performance.now() - this.#begun >= this.#sliceMs;
  }

  /**
   * Awaited after each step: pauses if the slice is used up, or if another task with this pacer is
   * pausing.
   */
  async pause(): Promise<void> {
    if (!this.isDue) return;
    this.#pausing ??= nextTurn().then(() => {
      this.#pausing = undefined;
      this.#isInTurn = false;
    });
    await this.#pausing;
  }

  #beginTurn(): void {
    this.#isInTurn = true;
    this.#begun = performance.now();
    setImmediate(() => {
      this.#isInTurn = false;
    });
  }
}

/**
 * Shared by all requests of many steps: with a slice each, ten concurrent requests would block the
 * event loop ten times as long.
 */
export const sharedPacer = new Pacer();

/** Number of steps that a task takes before it reads the clock. */
const FREE_STEPS = 100;

/**
 * One task with the shared slice. Its first steps are free: a short task runs in the same order
 * however slow the machine is, which simulations of groups rely on.
 */
export class PacedTask {
  #steps = 0;

  /** Whether the task must pause; checked before each step. */
  get isDue(): boolean {
    return ++this.#steps > FREE_STEPS && sharedPacer.isDue;
  }

  pause(): Promise<void> {
    return sharedPacer.pause();
  }
}
