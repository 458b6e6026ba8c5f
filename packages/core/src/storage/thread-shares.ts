/**
 * Shares of Node's thread pool. Node runs file operations on a pool of threads that the whole
 * process shares, in order of arrival: operations that wait for a slow disk fill it, and those for
 * a fast disk queue behind them. Therefore each topic takes threads from a share of the pool, so
 * that however many operations it has waiting, some threads remain for other topics. See
 * docs/decisions/0026-a-share-of-the-threads.md.
 */

/** Size of libuv's thread pool: UV_THREADPOOL_SIZE; 4 if it is not set; at most 1,024. */
export function threadPoolSize(environment: NodeJS.ProcessEnv = process.env): number {
  const size = Number.parseInt(environment["UV_THREADPOOL_SIZE"] ?? "", 10);
  return Number.isNaN(size) ? 4 : Math.min(1024, Math.max(1, size));
}

/**
 * Whether a share that holds `held` threads may take another while `free` are free: a share may
 * hold at most twice as many as remain free. So one share alone gets two thirds of the pool, two
 * get two fifths each, and so on, and a newcomer always finds a free thread.
 */
export function mayTake(held: number, free: number): boolean {
  return free > 0 && held < 2 * free;
}

export class ThreadShares {
  #free: number;
  /** Shares that wait for a thread, longest waiting first. */
  readonly #waiting = new Set<ThreadShare>();

  constructor(threads: number) {
    this.#free = threads;
  }

  /** Creates a share of the pool. */
  share(): ThreadShare {
    return new ThreadShare(this);
  }

  /** @internal */
  tryTake(share: ThreadShare): boolean {
    if (!mayTake(share.held, this.#free)) return false;
    this.#free--;
    share.held++;
    return true;
  }

  /** @internal */
  wait(share: ThreadShare): void {
    this.#waiting.add(share);
  }

  /** @internal */
  give(share: ThreadShare): void {
    this.#free++;
    share.held--;
    for (const waiting of this.#waiting) {
      if (this.#free === 0) return;
      if (!this.tryTake(waiting)) continue;
      this.#waiting.delete(waiting);
      if (waiting.wakeNext()) this.#waiting.add(waiting); // at the end of the queue, behind the other shares
    }
  }
}

export class ThreadShare {
  /** @internal The number of threads that the share holds. */
  held = 0;
  readonly #shares: ThreadShares;
  readonly #queue: (() => void)[] = [];

  constructor(shares: ThreadShares) {
    this.#shares = shares;
  }

  /** Runs an operation when it is its turn. Operations of one share start in order. */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#queue.length > 0 || !this.#shares.tryTake(this)) {
      await new Promise<void>((resolve) => {
        this.#queue.push(resolve);
        this.#shares.wait(this);
      });
    }
    try {
      return await operation();
    } finally {
      this.#shares.give(this);
    }
  }

  /** @internal Returns whether more operations are waiting. */
  wakeNext(): boolean {
    this.#queue.shift()!();
    return this.#queue.length > 0;
  }
}
