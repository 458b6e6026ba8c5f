/**
 * Where a disk answers in some tens of microseconds, having another thread wait for it takes longer
 * than the disk does. Syncs are then made in place, at most one in a turn of the event loop, so
 * that everything else goes on. Where several files are synced at once, the others go to the
 * threads as ever. A sync that was slow sends the next ones there too. See
 * docs/decisions/0010-short-syncs-in-place.md.
 */

/**
 * In place the event loop stands still for so long: about what it takes to write 128 KiB. Through a
 * thread, add what that costs.
 */
const SHORT_US = 120;
const SHORT_IN_POOL_US = 200;
/** So many must have been short, one after another, before one is made in place. */
const PATIENCE = 64;

export class SyncPlace {
  /** How many syncs in a row were short. */
  #shortOnes = 0;
  #inPool = 0;
  /** Whose file was synced in place in this turn of the event loop. */
  #turn: { readonly file: unknown; readonly end: Promise<void> } | undefined;

  /** Makes a sync of a file, here or there. */
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
