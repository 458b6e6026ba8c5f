/**
 * A clock that is read once in a turn of the event loop, because reading it costs more than the
 * rest of an append.
 */
import type { Storage } from "../../storage/storage.js";

export class TurnClock {
  readonly #storage: Pick<Storage, "now">;
  #time: number | undefined;

  constructor(storage: Pick<Storage, "now">) {
    this.#storage = storage;
  }

  /** ms since the epoch. */
  now(): number {
    if (this.#time === undefined) {
      this.#time = this.#storage.now();
      process.nextTick(() => {
        this.#time = undefined;
      });
    }
    return this.#time;
  }
}
