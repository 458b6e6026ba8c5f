/**
 * Background work of a writer, one task at a time: a finished segment is made durable while the
 * next one is written.
 */

export class BehindTheWriter {
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Called when no task is in progress. */
  start(work: () => Promise<void>): void {
    this.#running = work()
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Throws if a task has failed: then the state on disk is unknown. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for the task in progress. */
  async settle(): Promise<void> {
    await this.#running;
    this.check();
  }
}
