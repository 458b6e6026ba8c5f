/** The other brokers of a cluster, and the connections to them. */
import { callAll, startInterval, type Timer, UnavailableError } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

/**
 * Another broker. Its calls have the header `logstore-owner-only`. Closing it ends those under way.
 */
export interface Peer extends LogApi {
  close(): void;
}

/** How often the connections are compared with the brokers that are alive, in ms. */
const SWEEP_MS = 1_000;

export class Peers {
  readonly #connect: (address: string) => Peer;
  readonly #addresses: () => readonly string[];
  readonly #peers = new Map<string, Peer>();
  #sweep: Timer | undefined;
  #isClosed = false;

  /** @param addresses those of the other brokers that are alive */
  constructor(connect: (address: string) => Peer, addresses: () => readonly string[]) {
    this.#connect = connect;
    this.#addresses = addresses;
  }

  /** @throws UnavailableError if it cannot be connected to, or everything is closed */
  at(address: string): LogApi {
    const known = this.#peers.get(address);
    if (known !== undefined) return known;
    if (this.#isClosed) throw new UnavailableError("the server is stopping: connect again");
    let peer: Peer;
    try {
      peer = this.#connect(address);
    } catch (cause) {
      // Its certificates may be being replaced.
      const { message } = cause as Error;
      throw new UnavailableError(`the broker at ${address} cannot be connected to: ${message}`, {}, { cause });
    }
    this.#peers.set(address, peer);
    this.#sweep ??= startInterval(SWEEP_MS, () => this.#closeDead(), { keepsAlive: false });
    return peer;
  }

  /** All others that are alive. */
  others(): LogApi[] {
    return this.#addresses().map((address) => this.at(address));
  }

  close(): void {
    this.#isClosed = true;
    this.#closeAll([...this.#peers.keys()]);
  }

  /**
   * A broker whose lease has expired may be silent: calls that wait for it end, so that their
   * callers find the next owner.
   */
  #closeDead(): void {
    const alive = new Set(this.#addresses());
    this.#closeAll([...this.#peers.keys()].filter((address) => !alive.has(address)));
  }

  #closeAll(addresses: readonly string[]): void {
    const peers = addresses.map((address) => this.#peers.get(address)!);
    for (const address of addresses) this.#peers.delete(address);
    if (this.#peers.size === 0) {
      this.#sweep?.cancel();
      this.#sweep = undefined;
    }
    callAll(peers.map((peer) => () => peer.close()));
  }
}
