import { ClosedError, checkOptions, durationMs, type OptionRules, startTimer } from "@logstore/codec";

/** Options of a close. */
export interface CloseOptions {
  /** Time limit, ms. What is not done by then is given up. Default: see the method. */
  readonly timeoutMs?: number | undefined;
}

/** An object that is closed with the client that made it. */
export interface Closable {
  close(options?: CloseOptions): unknown;
}

const rules: OptionRules<CloseOptions> = { timeoutMs: durationMs() };

/** @throws InvalidArgumentError */
export function checkCloseOptions(options: CloseOptions): void {
  checkOptions<CloseOptions>("close", options, rules);
}

/**
 * The open objects of a client, each of which registers itself. Closing the client closes them:
 * first those that read, whose handlers may still write, then those that write.
 */
export class Registry {
  readonly #readers = new Set<Closable>();
  readonly #writers = new Set<Closable>();
  #closed: "not" | "readers" | "all" = "not";

  /** @throws ClosedError */
  addReader(one: Closable): void {
    if (this.#closed !== "not") throw closedError();
    this.#readers.add(one);
  }

  /** @throws ClosedError */
  addWriter(one: Closable): void {
    this.checkWritable();
    this.#writers.add(one);
  }

  delete(one: Closable): void {
    this.#readers.delete(one);
    this.#writers.delete(one);
  }

  /** @throws ClosedError */
  checkWritable(): void {
    if (this.#closed === "all") throw closedError();
  }

  /** Closes every object even if some fail, and then rejects with the first error. */
  async close(options: CloseOptions): Promise<void> {
    const { timeoutMs } = options;
    const begun = performance.now();
    if (this.#closed === "not") this.#closed = "readers";
    const failures = await closeAll(this.#readers, options);
    this.#closed = "all";
    const left = timeoutMs && Math.max(0, timeoutMs - (performance.now() - begun));
    failures.push(...(await closeAll(this.#writers, { timeoutMs: left })));
    if (failures.length > 0) throw failures[0];
  }
}

/** Resolves to the errors. */
async function closeAll(open: Set<Closable>, options: CloseOptions): Promise<unknown[]> {
  const closed = await Promise.allSettled(Array.from(open, async (one) => one.close(options)));
  open.clear();
  return closed.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
}

function closedError(): ClosedError {
  return new ClosedError("the client is closed");
}

/**
 * Resolves to true when `work` is settled, or to false if the time has passed or `signal` aborts
 * before that. Never rejects.
 */
export function settledWithin(work: Promise<unknown>, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isSettled: boolean) => {
      timer.cancel();
      signal?.removeEventListener("abort", abort);
      resolve(isSettled);
    };
    const abort = () => end(false);
    const timer = startTimer(timeoutMs, abort);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    work.then(
      () => end(true),
      () => end(true),
    );
  });
}
