/** What calls to a server are made with. */
import type { StreamPlace } from "./connections.js";
import type { Server } from "./servers.js";

/** Options of one unary call. */
export interface UnaryOptions {
  /**
   * Time that the server may take in addition to `timeoutMs`, ms. Default 0. A call that may wait
   * takes the room of a long stream, so that short calls do not wait for it.
   */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reserved room for a long stream, and the server that it is on. */
export interface CallPlace extends StreamPlace {
  readonly server: Server;
}

/**
 * Time after which a silent connection to a broker of a cluster is tested, ms. A stalled one is
 * found out after twice this time.
 */
export const OWNER_KEEPALIVE_MS = 5_000;
