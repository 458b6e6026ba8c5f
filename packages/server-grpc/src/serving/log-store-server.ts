/** The face of a running server. */
import type { AccessConfig } from "../access/access-config.js";

/** A running server. */
export interface LogStoreServer extends AsyncDisposable {
  /** The address and port that it listens on: "127.0.0.1:7411", "[::1]:7411". */
  readonly address: string;
  /**
   * Replaces the rules, tokens and quotas. They hold at once, also for calls under way: a call that
   * is not allowed any more ends.
   *
   * @throws InvalidArgumentError where the configuration is invalid, or the server was started
   * without access control; nothing changes then
   */
  updateAccess(config: AccessConfig): Promise<void>;
  /**
   * Reads the files of `tls` again now; changes of the files are noticed without it, too. Open
   * connections go on, except those with client certificates where the CAs changed.
   *
   * @throws InvalidArgumentError where the files do not fit together; the former ones stay in force
   */
  reloadCertificates(): Promise<void>;
  /**
   * Stops the server: refuses new calls, acknowledges the appends that it has received, ends every
   * stream with UNAVAILABLE so that clients connect again, and resolves when all connections are
   * closed, after `drainTimeoutMs` and a moment at the latest. Never rejects; a second call waits
   * for the same stop.
   */
  stop(): Promise<void>;
}
