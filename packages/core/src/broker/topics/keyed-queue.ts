/** Runs work by key: of one key one piece at a time, in the order in which it was asked for. */

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

  /** Resolves when nothing runs or waits, however it ended. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
