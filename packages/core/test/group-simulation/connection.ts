/**
 * A stream between a member and the coordinator: messages arrive late but in order, until it
 * breaks. Each side notices the break at its own time; until then the other side's messages are
 * lost, and those in flight may still arrive.
 */
import type { World } from "./world.js";

export interface End<In> {
  receive(message: In): void;
  closed(error?: unknown): void;
}

export class Connection<Up, Down> {
  readonly #world: World;
  readonly #client: End<Down>;
  #server: End<Up> | undefined;
  /** Messages sent from now on are lost. */
  #isBroken = false;
  #clientClosed = false;
  #serverClosed = false;
  readonly #lastArrival = { up: 0, down: 0 };

  constructor(world: World, client: End<Down>) {
    this.#world = world;
    this.#client = client;
  }

  get isOpen(): boolean {
    return !this.#clientClosed;
  }

  accept(server: End<Up>): void {
    this.#server = server;
  }

  up(message: Up): void {
    if (this.#isBroken || this.#clientClosed) return;
    this.#arrive("up", () => {
      if (!this.#serverClosed) this.#server?.receive(message);
    });
  }

  down(message: Down): void {
    if (this.#isBroken || this.#serverClosed) return;
    this.#arrive("down", () => {
      if (!this.#clientClosed) this.#client.receive(message);
    });
  }

  /** The server ends the stream, after the messages that it has sent. */
  end(error?: unknown): void {
    if (this.#serverClosed) return;
    this.#serverClosed = true;
    if (this.#isBroken) return;
    this.#arrive("down", () => this.#closeClient(error));
  }

  /** The member ends the stream. */
  close(): void {
    if (this.#clientClosed) return;
    this.#clientClosed = true;
    if (!this.#isBroken) this.#arrive("up", () => this.#closeServer());
    else this.#world.after(this.#world.random.whole(0, 40_000), () => this.#closeServer());
  }

  /** @param withinMs the longest time until each side notices */
  break(withinMs: number): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const { random } = this.#world;
    this.#world.after(random.whole(0, withinMs), () => this.#closeClient());
    this.#world.after(random.whole(0, withinMs), () => this.#closeServer());
  }

  #closeClient(error?: unknown): void {
    if (this.#clientClosed) return;
    this.#clientClosed = true;
    this.#client.closed(error);
  }

  #closeServer(): void {
    if (this.#serverClosed) return;
    this.#serverClosed = true;
    this.#server?.closed();
  }

  #arrive(way: "up" | "down", arrive: () => void): void {
    const { random, now, isCalm } = this.#world;
    const delay = !isCalm && random.chance(0.1) ? random.whole(0, 4000) : random.whole(1, 40);
    const at = Math.max(now + delay, this.#lastArrival[way]);
    this.#lastArrival[way] = at;
    this.#world.after(at - now, arrive);
  }
}
