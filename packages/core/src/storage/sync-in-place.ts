/**
 * Decides whether a sync runs on the event loop ("in place") or on another thread. On a disk that
 * answers within some tens of microseconds, the hand-over to a thread costs more than the sync
 * itself. Such syncs are made in place, at most one per turn of the event loop so that other work
 * proceeds. If several files are synced at once, the others go to threads. After one slow sync, the
 * next ones go to threads again. See docs/decisions/0010-short-syncs-in-place.md.
 */

/**
 * The longest sync in place: it blocks the event loop for about as long as a write of 128 KiB. The
 * limit for a sync on a thread includes the cost of the thread.
 */
const SHORT_US = 120;
const SHORT_IN_POOL_US = 200;
/** Number of consecutive short syncs before one is made in place. */
const PATIENCE = 64;

export class SyncPlace {
  /** Number of consecutive short syncs. */
  #shortOnes = 0;
  #inPool = 0;
  /** The sync in place of this turn of the event loop. */
  #turn: { readonly file: unknown; readonly end: Promise<void> } | undefined;

  /** Syncs a file, in place or on a thread. */
  async sync(file: unknown, inPlace: () => void, inPool: () => Promise<void>): Promise<void> {
    const turn = this.#turn;
    if (turn?.file === file) await turn?.end;
    if (this.#shortOnes < PATIENCE || this.#inPool > 0 || this.#turn !== undefined) return this.#syncInPool(inPool);
    this.#takeTurn(file);
    const begun = performance.now();
    inPlace();
    this.#took((performance.now() - begun) * 1000, SHORT_US);
  }

  #takeTurn(file: unknown): void {
    const end = new Promise<void>((resolve) => {
      setImmediate(() => {
        this.#turn = undefined;
        resolve();
      });
    });
    this.#turn = { file, end };
  }

  async #syncInPool(inPool: () => Promise<void>): Promise<void> {
    this.#inPool++;
    const begun = performance.now();
    try {
      await inPool();
    } finally {
      const wasAlone = --this.#inPool === 0;
      if (wasAlone) this.#took((performance.now() - begun) * 1000, SHORT_IN_POOL_US);
    }
  }

  #took(us: number, shortUs: number): void {
    this.#shortOnes = us <= shortUs ? this.#shortOnes + 1 : 0;
  }
}
