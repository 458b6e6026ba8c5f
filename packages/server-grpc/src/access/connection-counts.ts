/** The number of connections of each principal or address, where it is limited. */
import type { Connection } from "../transport/connection.js";

export class ConnectionCounts {
  readonly #byOwner = new Map<string, Set<Connection>>();

  /**
   * Counts a connection for its owner until it closes; returns false if that would exceed the
   * limit.
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
