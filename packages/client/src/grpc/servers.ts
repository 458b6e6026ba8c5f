import { connectivityState } from "@grpc/grpc-js";
import { startTimer } from "@logstore/codec";
import type { Address } from "./address.js";
import type { Connections } from "./connections.js";

/** Time after which an address that does not connect is left for the next one, ms. */
const CONNECT_TIMEOUT_MS = 5_000;

/** One of the addresses of a client, and the connections to it. */
export interface Server {
  readonly target: string;
  readonly connections: Connections;
}

/**
 * The addresses of a client. It uses one of them at a time, and moves on to the next one when that
 * server cannot be reached; after the last address comes the first.
 */
export class Servers {
  readonly #addresses: readonly Address[];
  readonly #open: (address: Address, server: () => Server) => Connections;
  #index = 0;
  #current: Server;
  #isConnecting = false;

  /**
   * @param addresses at least one
   * @param open makes the connections to an address; its second argument returns their server
   */
  constructor(addresses: readonly Address[], open: (address: Address, server: () => Server) => Connections) {
    this.#addresses = addresses;
    this.#open = open;
    this.#current = this.#serverAt(0);
  }

  /** The server for the next call, which is about to be made. */
  get current(): Server {
    if (this.#addresses.length > 1) this.#limitConnecting(this.#current);
    return this.#current;
  }

  /** Target of the server in use. */
  get target(): string {
    return this.#current.target;
  }

  /**
   * Moves on to the next address, unless that was done already. Calls under way on the former
   * server's connections are not interrupted.
   */
  leave(server: Server): void {
    if (server !== this.#current || this.#addresses.length === 1) return;
    this.#index = (this.#index + 1) % this.#addresses.length;
    this.#current = this.#serverAt(this.#index);
    this.#isConnecting = false;
    server.connections.close();
  }

  close(): void {
    this.#current.connections.close();
  }

  #serverAt(index: number): Server {
    const address = this.#addresses[index]!;
    const server: Server = { target: address.target, connections: this.#open(address, () => server) };
    return server;
  }

  /** An address may neither connect nor refuse. Closing the channel fails the calls that wait. */
  #limitConnecting(server: Server): void {
    if (this.#isConnecting || isReady(server)) return;
    this.#isConnecting = true;
    startTimer(
      CONNECT_TIMEOUT_MS,
      () => {
        if (server !== this.#current) return;
        this.#isConnecting = false;
        if (!isReady(server)) this.leave(server);
      },
      { keepsAlive: false },
    );
  }
}

function isReady({ connections }: Server): boolean {
  return connections.calls.getChannel().getConnectivityState(false) === connectivityState.READY;
}
