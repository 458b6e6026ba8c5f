/** How many connections each principal has that may have only so many. */
import type { Connection } from "../transport/connection.js";

export class ConnectionCounts {
  readonly #byPrincipal = new Map<string, Set<Connection>>();

  /** Counts a connection as the principal's until it closes; false where that would make one too many. */
  claim(principal: string, connection: Connection, max: number): boolean {
    const connections = this.#byPrincipal.get(principal) ?? new Set();
    if (connections.has(connection)) return true;
    if (connections.size >= max) return false;
    this.#byPrincipal.set(principal, connections.add(connection));
    connection.onClose(() => {
      connections.delete(connection);
      if (connections.size === 0) this.#byPrincipal.delete(principal);
    });
    return true;
  }
}
