/** Virtual time: events happen in order, and nothing waits for a real clock. */
import type { Random } from "../../src/testing/index.js";

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

export class World {
  readonly random: Random;
  /** ms since the start. */
  now = 0;
  /** Messages are no longer delayed, so that the group can come to rest. */
  isCalm = false;
  /** Thrown by {@link run}. */
  failure: unknown;
  readonly #heap: Happening[] = [];
  #order = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Called with each event, for the replay of a seed. */
  tell: ((what: string) => void) | undefined;

  /** Returns a function that cancels it. */
  after(ms: number, happen: () => void): () => void {
    let isPrevented = false;
    this.#push({ at: this.now + Math.max(0, ms), order: this.#order++, happen: () => isPrevented || happen() });
    return () => {
      isPrevented = true;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Runs all events up to a time, each with its immediate consequences. */
  async run(until: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.at <= until; next = this.#heap[0]) {
      this.#pop();
      this.now = next.at;
      next.happen();
      await settled();
      if (this.failure !== undefined) throw this.failure;
    }
    this.now = until;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let i = heap.push(happening) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(happening, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = happening;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Storage in memory, and tasks of many steps, may each let the event loop turn once. */
const TURNS = 3;

/**
 * Waits until all promises are settled that depend only on other promises, and on turns of the
 * event loop; the simulated disk needs nothing else.
 */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
