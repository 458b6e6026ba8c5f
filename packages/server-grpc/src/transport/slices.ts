/**
 * Slices of the event loop that all calls share. What is made in many steps waits before each of them until something is left of the
 * present slice, and so leaves the loop to others, however many such calls there are at once.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

const SLICE_MS = 5;

let begun = performance.now();
let pausing: Promise<void> | undefined;

/** Resolves when the next step may be taken. */
export async function sliceLeft(): Promise<void> {
  while (pausing !== undefined || performance.now() - begun >= SLICE_MS) {
    pausing ??= nextTurn().then(() => {
      pausing = undefined;
      begun = performance.now();
    });
    await pausing;
  }
}
