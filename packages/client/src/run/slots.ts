import { callStack, named, uniqueName } from "../common/caller.js";

/** Where one worker at a time does its work. */
export interface Slot<Work extends (...args: never[]) => unknown, Task> {
  /** What each slot has a copy of, with a name of its own. */
  readonly work: Work;
  /** What it works on. */
  task: Task | undefined;
}

/** So many work at a time; the others wait in the order in which they came. */
export class Slots<Work extends (...args: never[]) => unknown, Task> {
  readonly #makeWork: () => Work;
  readonly #byName = new Map<string, Slot<Work, Task>>();
  readonly #free: Slot<Work, Task>[] = [];
  readonly #waiting: ((slot: Slot<Work, Task>) => void)[] = [];
  readonly #count: number;

  /** @param makeWork returns a function that nobody else has */
  constructor(count: number, makeWork: () => Work) {
    this.#count = count;
    this.#makeWork = makeWork;
  }

  /** A promise only where all slots are taken. */
  acquire(): Slot<Work, Task> | Promise<Slot<Work, Task>> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#byName.size < this.#count) return this.#make();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(slot: Slot<Work, Task>): void {
    slot.task = undefined;
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
  }

  /** The task whose work the running code is part of. */
  get currentTask(): Task | undefined {
    for (const { name } of callStack()) {
      const slot = name === null ? undefined : this.#byName.get(name);
      if (slot !== undefined) return slot.task;
    }
    return undefined;
  }

  #make(): Slot<Work, Task> {
    const name = uniqueName("slot");
    const slot = { work: named(name, this.#makeWork()), task: undefined };
    this.#byName.set(name, slot);
    return slot;
  }
}
