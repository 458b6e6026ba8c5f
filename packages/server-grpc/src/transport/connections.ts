/** The open connections of a server, by their two ends. */
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

  /** Connections added so far, closed ones included. */
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
   * The connection with these ends. `socket` may be a view of its socket, such as the one that an
   * HTTP/2 session has. Undefined where the connection is closed, or another server's.
   */
  of(socket: Endpoints): Connection | undefined {
    return this.#byEndpoints.get(keyOf(socket));
  }

  /** Destroys the connections whose peers presented a client certificate. */
  destroyCertified(): void {
    for (const connection of this.#byEndpoints.values()) if (connection.certificate) connection.destroy();
  }
}

/** At any time no two TCP connections have the same ends. */
function keyOf({ localAddress, localPort, remoteAddress, remotePort }: Endpoints): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
