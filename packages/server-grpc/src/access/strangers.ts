/**
 * Those who may do nothing but what needs no credentials: ask for the server's health, and for its
 * schema. Where there is access control, they get only so much of it from one address: connections
 * and streams are for those who are let in.
 */
import { QuotaExceededError } from "@logstore/codec";
import type { Connection } from "../transport/connection.js";
import { ConnectionCounts } from "./connection-counts.js";

/** Of one address: load balancers and probes need one or two each. */
export const MAX_STRANGER_CONNECTIONS = 32;
export const MAX_STRANGER_CALLS = 128;

export class Strangers {
  readonly #connections = new ConnectionCounts();
  readonly #callsByAddress = new Map<string, number>();

  /** One more call without credentials; to be ended. @throws QuotaExceededError */
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
