/**
 * Slices of the event loop that all calls share. What is made in many steps waits before each of
 * them until something is left of the present slice, and so leaves the loop to others, however many
 * such calls there are at once. Unary calls and members of groups wait in lanes of their own, which
 * take turns: a call does not wait until a thousand members have been told their partitions.
 */

const SLICE_MS = 5;

export type Lane = "calls" | "members";

/** Those who wait, in their order; those before `next` have been let go. */
interface Queue {
  waiting: (() => void)[];
  next: number;
}

const queues: Readonly<Record<Lane, Queue>> = {
  calls: { waiting: [], next: 0 },
  members: { waiting: [], next: 0 },
};
let begun = performance.now();
/** The lane whose turn it is. */
let lane: Lane = "calls";
/** Whether waiting steps are being resumed, or will be. */
let isLettingGo = false;

/** Resolves when the next step may run. */
export function sliceLeft(of: Lane = "calls"): Promise<void> {
  if (!isLettingGo && performance.now() - begun < SLICE_MS) return Promise.resolve();
  return new Promise((resolve) => {
    queues[of].waiting.push(resolve);
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
  const isUsedUp = performance.now() - begun >= SLICE_MS;
  const first = isUsedUp ? undefined : (take(lane) ?? take(otherThan(lane)));
  if (first !== undefined) {
    lane = otherThan(lane);
    first();
    queueMicrotask(letGo); // after the step that was resumed
  } else if (isUsedUp && (hasWaiting("calls") || hasWaiting("members"))) {
    setImmediate(beginSlice);
  } else {
    isLettingGo = false;
  }
}

function otherThan(one: Lane): Lane {
  return one === "calls" ? "members" : "calls";
}

function hasWaiting(of: Lane): boolean {
  return queues[of].next < queues[of].waiting.length;
}

function take(of: Lane): (() => void) | undefined {
  const queue = queues[of];
  const first = queue.waiting[queue.next];
  if (first === undefined) return undefined;
  queue.next++;
  if (queue.next === queue.waiting.length || queue.next === 1_000) {
    queue.waiting = queue.waiting.slice(queue.next); // what was let go is freed
    queue.next = 0;
  }
  return first;
}
