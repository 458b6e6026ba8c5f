/** The other brokers of a cluster, and the connections to them. */
import { callAll } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

/** Another broker. Its calls have the header `logstore-owner-only`. */
export interface Peer extends LogApi {
  close(): void;
}

export class Peers {
  readonly #connect: (address: string) => Peer;
  readonly #addresses: () => readonly string[];
  readonly #peers = new Map<string, Peer>();

  /** @param addresses those of the other brokers that are alive */
  constructor(connect: (address: string) => Peer, addresses: () => readonly string[]) {
    this.#connect = connect;
    this.#addresses = addresses;
  }

  at(address: string): LogApi {
    let peer = this.#peers.get(address);
    if (peer === undefined) {
      this.#closeOld(address);
      peer = this.#connect(address);
      this.#peers.set(address, peer);
    }
    return peer;
  }

  /** All others that are alive. */
  others(): LogApi[] {
    return this.#addresses().map((address) => this.at(address));
  }

  close(): void {
    callAll([...this.#peers.values()].map((peer) => () => peer.close()));
    this.#peers.clear();
  }

  /** Brokers come and go: those that are gone are forgotten. */
  #closeOld(newAddress: string): void {
    const alive = new Set([...this.#addresses(), newAddress]);
    for (const [address, peer] of this.#peers) {
      if (alive.has(address)) continue;
      this.#peers.delete(address);
      peer.close();
    }
  }
}
