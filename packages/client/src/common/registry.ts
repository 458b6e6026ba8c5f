import { ClosedError, checkOptions, durationMs, type OptionRules, startTimer } from "@logstore/codec";

/** How long a close may take. */
export interface CloseOptions {
  /** ms after which what is not done yet is given up. */
  readonly timeoutMs?: number | undefined;
}

/** Something that a client made and that has to be closed with it. */
export interface Closable {
  close(options?: CloseOptions): unknown;
}

const rules: OptionRules<CloseOptions> = { timeoutMs: durationMs() };

/** @throws InvalidArgumentError */
export function checkCloseOptions(options: CloseOptions): void {
  checkOptions<CloseOptions>("close", options, rules);
}

/**
 * Everything that a client has made and that is still open. Whatever is made registers itself, so
 * that closing the client closes it, too: first what reads, whose handlers may still write, then
 * what writes.
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

  /** Closes everything, whatever fails in it, and then rejects with the first failure. */
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

/** Resolves to what failed. */
async function closeAll(open: Set<Closable>, options: CloseOptions): Promise<unknown[]> {
  const closed = await Promise.allSettled(Array.from(open, async (one) => one.close(options)));
  open.clear();
  return closed.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
}

function closedError(): ClosedError {
  return new ClosedError("the client is closed");
}

/**
 * Resolves to true when `work` is settled; to false when the time is over, or `signal` aborts,
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
