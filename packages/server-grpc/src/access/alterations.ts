/**
 * Changes of topics' configurations, one at a time for each topic. Whether a change may be made
 * depends on what is in force: it is looked at and changed before the next change is looked at.
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
