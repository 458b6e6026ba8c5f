import { callStack, type Frame, hasGoneOn } from "../common/caller.js";

/** Recognizes code that runs in the body of a loop, which waits for it. */
export class LoopBody {
  #waiting: readonly Frame[] = [];

  /** Called where the loop takes its first value: whoever is on the stack has waited for it. */
  enter(): void {
    this.#waiting = callStack();
  }

  /**
   * Whether the running code is in the body. So is the same function of another call where nobody
   * awaited the loop's when it began.
   */
  get isRunning(): boolean {
    return this.#waiting.length > 0 && hasGoneOn(this.#waiting, callStack());
  }
}
