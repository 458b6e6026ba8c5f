/**
 * Slices of the event loop shared by all calls. A call of many steps waits before each step until
 * the current slice has time left, so that such calls do not block the event loop, however many
 * there are. Unary calls and group members wait in lanes of their own, which take turns, so that a
 * call does not wait until a thousand members have received their assignments.
 */

const SLICE_MS = 5;

export type Lane = "calls" | "members";

/** Waiting steps in order; those before `next` have been resumed. */
interface Queue {
  waiting: (() => void)[];
  next: number;
}

const queues: Readonly<Record<Lane, Queue>> = {
  calls: { waiting: [], next: 0 },
  members: { waiting: [], next: 0 },
};
let begun = performance.now();
/** The lane that is resumed next. */
let lane: Lane = "calls";
/** Whether waiting steps are being resumed, or will be. */
let isResuming = false;

/** Resolves when the next step may run. */
export function sliceLeft(of: Lane = "calls"): Promise<void> {
  return new Promise((resolve) => {
    queues[of].waiting.push(resolve);
    if (isResuming) return;
    isResuming = true;
    if (performance.now() - begun < SLICE_MS) queueMicrotask(resumeNext);
    else setImmediate(beginSlice);
  });
}

function beginSlice(): void {
  begun = performance.now();
  resumeNext();
}

function resumeNext(): void {
  const isUsedUp = performance.now() - begun >= SLICE_MS;
  const first = isUsedUp ? undefined : (take(lane) ?? take(otherThan(lane)));
  if (first !== undefined) {
    lane = otherThan(lane);
    first();
    queueMicrotask(resumeNext); // after the step that was resumed
  } else if (isUsedUp && (hasWaiting("calls") || hasWaiting("members"))) {
    setImmediate(beginSlice);
  } else {
    isResuming = false;
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
    queue.waiting = queue.waiting.slice(queue.next); // frees resumed steps
    queue.next = 0;
  }
  return first;
}
