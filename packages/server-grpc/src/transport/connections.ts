/** The open connections of a server, by their two endpoints. */
import type { Socket } from "node:net";
import type { Connection } from "./connection.js";

export type Endpoints = {
  readonly [Name in "localAddress" | "localPort" | "remoteAddress" | "remotePort"]?: Socket[Name] | undefined;
};

export class Connections {
  readonly #byEndpoints = new Map<string, Connection>();
  #acceptedCount = 0;

  get openCount(): number {
    return this.#byEndpoints.size;
  }

  /** Number of connections added so far, including closed ones. */
  get acceptedCount(): number {
    return this.#acceptedCount;
  }

  /** Adds a connection, which is removed when its socket closes. */
  add(socket: Socket, connection: Connection): void {
    const key = keyOf(socket);
    this.#byEndpoints.set(key, connection);
    this.#acceptedCount++;
    socket.once("close", () => this.#byEndpoints.delete(key));
  }

  /**
   * The connection with these endpoints. `socket` may be a proxy of the connection's socket, such
   * as the one of an HTTP/2 session. Undefined if the connection is closed, or belongs to another
   * server.
   */
  of(socket: Endpoints): Connection | undefined {
    return this.#byEndpoints.get(keyOf(socket));
  }

  /** Destroys the connections whose peers presented a client certificate. */
  destroyCertified(): void {
    for (const connection of this.#byEndpoints.values()) if (connection.certificate) connection.destroy();
  }
}

/** No two open TCP connections have the same endpoints. */
function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Endpoints): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
