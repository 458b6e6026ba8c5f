import { callStack, type Frame, hasGoneOn } from "../common/caller.js";

/** Recognizes code that runs in the body of a loop, which waits for it. */
export class LoopBody {
  #waiting: readonly Frame[] = [];

  /** Called when the loop takes its first value: the functions on the stack wait for the body. */
  enter(): void {
    this.#waiting = callStack();
  }

  /**
   * Whether the running code belongs to the body. Another call of the same function is taken for it
   * if nothing awaited the loop's call when the loop began.
   */
  get isRunning(): boolean {
    return this.#waiting.length > 0 && hasGoneOn(this.#waiting, callStack());
  }
}
