/** A queue for each key: tasks with the same key run one at a time, in order. */

export class KeyedQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const done = before.catch(() => {}).then(work);
    this.#last.set(key, done);
    try {
      return await done;
    } finally {
      if (this.#last.get(key) === done) this.#last.delete(key);
    }
  }

  /** Resolves when all tasks have ended, with or without an error. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
