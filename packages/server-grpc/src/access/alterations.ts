/**
 * Serializes changes of a topic's configuration. Whether a change is permitted depends on the
 * configuration in effect, so that each change is checked and applied before the next one is
 * checked.
 */
export class Alterations {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(topic: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(topic) ?? Promise.resolve();
    const done = before.then(work, work);
    this.#last.set(topic, done);
    try {
      return await done;
    } finally {
      if (this.#last.get(topic) === done) this.#last.delete(topic);
    }
  }
}
