/** How many connections each principal, or each address, has that may have only so many. */
import type { Connection } from "../transport/connection.js";

export class ConnectionCounts {
  readonly #byOwner = new Map<string, Set<Connection>>();

  /**
   * Counts a connection as its owner's until it closes; false where that would make one too many.
   */
  claim(owner: string, connection: Connection, max: number): boolean {
    const connections = this.#byOwner.get(owner) ?? new Set();
    if (connections.has(connection)) return true;
    if (connections.size >= max) return false;
    this.#byOwner.set(owner, connections.add(connection));
    connection.onClose(() => {
      connections.delete(connection);
      if (connections.size === 0) this.#byOwner.delete(owner);
    });
    return true;
  }
}
