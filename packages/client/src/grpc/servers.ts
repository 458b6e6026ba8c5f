import { connectivityState } from "@grpc/grpc-js";
import { startTimer, type Timer } from "@logstore/codec";
import type { Address } from "./address.js";
import type { Connections } from "./connections.js";

/** Time after which an address that does not connect is left for the next one, ms. */
const CONNECT_TIMEOUT_MS = 5_000;

const { CONNECTING, READY, TRANSIENT_FAILURE } = connectivityState;

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
  /** Runs while the server in use may connect. */
  #connecting: Timer | undefined;
  #isClosed = false;

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
  forNextCall(): Server {
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
    if (this.#isClosed || server !== this.#current || this.#addresses.length === 1) return;
    this.#stopLimit();
    this.#index = (this.#index + 1) % this.#addresses.length;
    this.#current = this.#serverAt(this.#index);
    server.connections.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopLimit();
    this.#current.connections.close();
  }

  #serverAt(index: number): Server {
    const address = this.#addresses[index]!;
    const server: Server = { target: address.target, connections: this.#open(address, () => server) };
    return server;
  }

  /** An address may neither connect nor refuse. Closing the channel fails the calls that wait. */
  #limitConnecting(server: Server): void {
    if (this.#isClosed || this.#connecting !== undefined || stateOf(server) === READY) return;
    this.#connecting = startTimer(
      CONNECT_TIMEOUT_MS,
      () => {
        this.#connecting = undefined;
        // A server that has connected may be idle again.
        const isConnecting = stateOf(server) === CONNECTING || stateOf(server) === TRANSIENT_FAILURE;
        if (isConnecting) this.leave(server);
      },
      { keepsAlive: false },
    );
  }

  #stopLimit(): void {
    this.#connecting?.cancel();
    this.#connecting = undefined;
  }
}

function stateOf({ connections }: Server): connectivityState {
  return connections.calls.getChannel().getConnectivityState(false);
}
