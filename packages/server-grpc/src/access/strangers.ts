/**
 * Limits for callers without credentials, which may only use the health and reflection services:
 * with access control, each address gets few connections and streams for that, because they are
 * meant for authenticated callers.
 */
import { QuotaExceededError } from "@logstore/codec";
import type { Connection } from "../transport/connection.js";
import { ConnectionCounts } from "./connection-counts.js";

/** Per address: load balancers and probes need one or two each. */
export const MAX_STRANGER_CONNECTIONS = 32;
export const MAX_STRANGER_CALLS = 128;

export class Strangers {
  readonly #connections = new ConnectionCounts();
  readonly #callsByAddress = new Map<string, number>();

  /**
   * Counts one more call without credentials; returns a function to call when it ends. @throws
   * QuotaExceededError
   */
  begin(connection: Connection): () => void {
    const { address } = connection;
    const calls = this.#callsByAddress.get(address) ?? 0;
    if (calls >= MAX_STRANGER_CALLS) {
      throw new QuotaExceededError(
        `${MAX_STRANGER_CALLS} calls without credentials are open from this address: end one`,
      );
    }
    if (!connection.isKnown && !this.#connections.claim(address, connection, MAX_STRANGER_CONNECTIONS)) {
      throw new QuotaExceededError(
        `${MAX_STRANGER_CONNECTIONS} connections without credentials are open from this address: close one`,
      );
    }
    this.#callsByAddress.set(address, calls + 1);
    return () => {
      const left = this.#callsByAddress.get(address)! - 1;
      if (left === 0) this.#callsByAddress.delete(address);
      else this.#callsByAddress.set(address, left);
    };
  }
}
