import { AsyncLocalStorage } from "node:async_hooks";

/** Before Node 24, async context slows every promise down: used only where it is needed. */
export const HAS_CHEAP_ASYNC_CONTEXT = Number.parseInt(process.versions.node, 10) >= 24;

/** The loops whose bodies the running code is in, the innermost one last. */
const bodies = new AsyncLocalStorage<readonly LoopBody[]>();

/**
 * Recognizes code that runs in the body of a loop, and everything that the body has started. Before Node 24 it recognizes nothing.
 */
export class LoopBody {
  /** An ended loop has no body; those that come later in the same function forget it. */
  hasEnded = false;

  /**
   * Marks the running function as the body of the loop, from here on. To be called where nothing but the body's own code follows in
   * the same turn: the mark would otherwise stay with whoever called it.
   */
  enter(): void {
    if (!HAS_CHEAP_ASYNC_CONTEXT) return;
    const around = bodies.getStore() ?? [];
    if (around.at(-1) === this || around.includes(this)) return;
    bodies.enterWith([...around.filter(({ hasEnded }) => !hasEnded), this]);
  }

  /** Whether the running code is in the body. */
  get isRunning(): boolean {
    return bodies.getStore()?.includes(this) === true;
  }
}
