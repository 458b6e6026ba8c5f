/** Counts the open sockets of each address, which are limited. */
import type { Socket } from "node:net";

export class SocketCounts {
  readonly #byAddress = new Map<string, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts a socket until it closes; returns false if its address has reached the limit. */
  add(socket: Socket): boolean {
    const { remoteAddress: address = "" } = socket;
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= this.#max) return false;
    this.#byAddress.set(address, count + 1);
    socket.once("close", () => {
      const left = this.#byAddress.get(address)! - 1;
      if (left === 0) this.#byAddress.delete(address);
      else this.#byAddress.set(address, left);
    });
    return true;
  }
}
