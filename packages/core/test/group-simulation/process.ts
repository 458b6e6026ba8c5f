/**
 * A process that may be stopped, as with SIGSTOP: its work is deferred until it continues, in
 * order.
 */
import type { World } from "./world.js";

export class Process {
  readonly #world: World;
  #stoppedUntil = 0;
  #waiting: (() => void)[] = [];
  isDead = false;

  constructor(world: World) {
    this.#world = world;
  }

  stop(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#world.now + ms);
    this.#world.after(ms, () => this.#catchUp());
  }

  go(): void {
    this.#stoppedUntil = 0;
    this.#catchUp();
  }

  do(work: () => void): void {
    if (this.isDead) return;
    if (this.#world.now < this.#stoppedUntil) this.#waiting.push(work);
    else work();
  }

  #catchUp(): void {
    if (this.#world.now < this.#stoppedUntil) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const work of waiting) this.do(work);
  }
}
