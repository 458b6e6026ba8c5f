/**
 * A task that runs once at a time. A call waits for a run that starts after the call, and shares it
 * with all others that wait: however often the task is called, nobody waits for more than two runs.
 */
export class SharedTask {
  readonly #work: () => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  /** The run that has not started yet. */
  #next: Promise<void> | undefined;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  run(): Promise<void> {
    if (this.#next === undefined) {
      this.#next = this.#runAfter(this.#last);
      this.#last = this.#next;
    }
    return this.#next;
  }

  /** Resolves when the runs asked for so far have ended, with or without an error. */
  async settle(): Promise<void> {
    await this.#last.catch(() => {});
  }

  async #runAfter(last: Promise<void>): Promise<void> {
    await last.catch(() => {});
    this.#next = undefined;
    await this.#work();
  }
}
