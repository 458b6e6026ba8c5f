/**
 * Slices of the event loop that all calls share. What is made in many steps waits before each of
 * them until something is left of the present slice, and so leaves the loop to others, however many
 * such calls there are at once.
 */

const SLICE_MS = 5;

let begun = performance.now();
/** In their order; those before `next` have been let go. */
let waiting: (() => void)[] = [];
let next = 0;
/** Whether those who wait are being let go, or will be. */
let isLettingGo = false;

/** Resolves when the next step may be taken. */
export function sliceLeft(): Promise<void> {
  if (!isLettingGo && performance.now() - begun < SLICE_MS) return Promise.resolve();
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (isLettingGo) return;
    isLettingGo = true;
    setImmediate(beginSlice);
  });
}

function beginSlice(): void {
  begun = performance.now();
  letGo();
}

function letGo(): void {
  if (next === waiting.length) {
    waiting = [];
    next = 0;
    isLettingGo = false;
  } else if (performance.now() - begun >= SLICE_MS) {
    waiting = waiting.slice(next);
    next = 0;
    setImmediate(beginSlice);
  } else {
    waiting[next++]!();
    queueMicrotask(letGo); // behind the step of the one that was let go
  }
}
