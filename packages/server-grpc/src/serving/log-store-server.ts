/** The public interface of a running server. */
import type { AccessConfig } from "../access/access-config.js";

/** A running server. */
export interface LogStoreServer extends AsyncDisposable {
  /** The address and port on which it listens: "127.0.0.1:7411", "[::1]:7411". */
  readonly address: string;
  /**
   * Replaces rules, tokens and quotas. They apply at once, also to calls in progress: a call that
   * is no longer allowed ends.
   *
   * @throws InvalidArgumentError if the configuration is invalid, or the server was started without
   * access control; then nothing changes
   */
  updateAccess(config: AccessConfig): Promise<void>;
  /**
   * Reloads the files of `tls` now; changes of the files are also detected automatically. Open
   * connections continue, except those with client certificates if the CAs changed.
   *
   * @throws InvalidArgumentError if the files do not match; the previous ones stay in effect
   */
  reloadCertificates(): Promise<void>;
  /**
   * Stops the server: refuses new calls, acknowledges the appends that it has received, ends every
   * stream with UNAVAILABLE so that clients reconnect, and resolves when all connections are
   * closed, at the latest shortly after `drainTimeoutMs`. Never rejects; a second call waits for
   * the same stop.
   */
  stop(): Promise<void>;
}
