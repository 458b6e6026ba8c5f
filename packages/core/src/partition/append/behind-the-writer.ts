/**
 * Work that goes on behind the writer's back, one piece at a time: a finished segment is made
 * durable while the next one is written.
 */

export class BehindTheWriter {
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** To be called when nothing is under way. */
  start(work: () => Promise<void>): void {
    this.#running = work()
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Throws where some work failed: nothing can be said any more of what is on the disk. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for what is under way. */
  async settle(): Promise<void> {
    await this.#running;
    this.check();
  }
}
