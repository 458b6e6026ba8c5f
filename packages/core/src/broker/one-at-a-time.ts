/**
 * Work on things that have names: of one name one thing at a time, in the order in which it was
 * asked for.
 */

export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Whether something is done with that name, or waits to be. */
  has(name: string): boolean {
    return this.#last.has(name);
  }

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const done = before.catch(() => {}).then(work);
    this.#last.set(name, done);
    try {
      return await done;
    } finally {
      if (this.#last.get(name) === done) this.#last.delete(name);
    }
  }

  /** Waits for everything; how it ended is not asked. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
