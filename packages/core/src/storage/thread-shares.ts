/**
 * Node does file operations in a pool of threads that the whole process shares, first come, first
 * served: operations that wait for a slow disk fill it, and those of a fast disk queue behind them.
 * Here each topic takes its operations' turns from a share of the pool. However many it has
 * waiting, some threads are left for the others. See docs/decisions/0026-a-share-of-the-threads.md.
 */

/** libuv's: UV_THREADPOOL_SIZE, 4 where nothing is said, 1,024 at most. */
export function threadPoolSize(environment: NodeJS.ProcessEnv = process.env): number {
  const size = Number.parseInt(environment["UV_THREADPOOL_SIZE"] ?? "", 10);
  return Number.isNaN(size) ? 4 : Math.min(1024, Math.max(1, size));
}

/**
 * Whether one who holds `held` threads may take another while `free` are free: at most twice as
 * many as are left. One alone holds two thirds of the pool, two hold two fifths each, and so on:
 * whoever comes next finds some free.
 */
export function mayTake(held: number, free: number): boolean {
  return free > 0 && held < 2 * free;
}

export class ThreadShares {
  #free: number;
  /** Shares that wait for a thread; the one that waits longest first. */
  readonly #waiting = new Set<ThreadShare>();

  constructor(threads: number) {
    this.#free = threads;
  }

  /** A share for one who shares the pool with the others. */
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
      if (waiting.wakeNext()) this.#waiting.add(waiting); // at the end: the others first
    }
  }
}

export class ThreadShare {
  /** @internal Threads that it holds. */
  held = 0;
  readonly #shares: ThreadShares;
  readonly #queue: (() => void)[] = [];

  constructor(shares: ThreadShares) {
    this.#shares = shares;
  }

  /**
   * Runs an operation when it is its turn; those of one share begin in the order in which they
   * came.
   */
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

  /** @internal Whether there are more. */
  wakeNext(): boolean {
    this.#queue.shift()!();
    return this.#queue.length > 0;
  }
}
