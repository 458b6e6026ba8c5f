/** The calls in progress, so that a stop can refuse new ones and wait for the rest. */
import { callAll, UnavailableError } from "@logstore/codec";

export class RunningCalls {
  readonly #stopListeners = new Set<() => void>();
  #running = 0;
  #stopping = false;
  #onIdle: (() => void) | undefined;

  /**
   * Runs a call. `onStop` is called when the server begins to stop: a call that does not end by
   * itself must then end soon.
   *
   * @throws UnavailableError if the server is stopping already
   */
  async run<Result>(call: () => Promise<Result>, onStop?: () => void): Promise<Result> {
    if (this.#stopping) throw stoppingError();
    this.#running++;
    if (onStop) this.#stopListeners.add(onStop);
    try {
      return await call();
    } finally {
      if (onStop) this.#stopListeners.delete(onStop);
      if (--this.#running === 0) this.#onIdle?.();
    }
  }

  /**
   * Refuses new calls, notifies those in progress, and resolves when the last of them has ended.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      if (this.#running === 0) resolve();
    });
    try {
      callAll(this.#stopListeners);
    } finally {
      await idle;
    }
  }
}

/** The error of a call that the server cannot complete. */
export function stoppingError(): UnavailableError {
  return new UnavailableError("the server is stopping: connect again");
}
