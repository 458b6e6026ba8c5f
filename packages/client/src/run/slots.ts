import { callStack, named, uniqueName } from "../common/caller.js";

/** A slot in which one task at a time is executed. */
export interface Slot<Work extends (...args: never[]) => unknown, Task> {
  /** The function that executes tasks in this slot. Its name is unique. */
  readonly work: Work;
  /** The task being executed. */
  task: Task | undefined;
}

/** Limits how many tasks are executed at a time. Waiting tasks are served in order. */
export class Slots<Work extends (...args: never[]) => unknown, Task> {
  readonly #makeWork: () => Work;
  readonly #byName = new Map<string, Slot<Work, Task>>();
  readonly #free: Slot<Work, Task>[] = [];
  readonly #waiting: ((slot: Slot<Work, Task>) => void)[] = [];
  readonly #count: number;

  /** @param makeWork returns a new function for each slot */
  constructor(count: number, makeWork: () => Work) {
    this.#count = count;
    this.#makeWork = makeWork;
  }

  /** Returns a promise only if all slots are taken. */
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

  /** The task that the running code belongs to. */
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
