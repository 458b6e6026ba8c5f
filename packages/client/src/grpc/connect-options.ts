import { boolean, durationMs, either, func, nested, nonEmptyString, type OptionRules } from "@logstore/codec";
import type { OnClientEvent } from "../common/events.js";

/** Options of `connect()`. */
export interface ConnectOptions {
  /**
   * Encrypts connections with TLS; `true` uses the defaults of TlsOptions. Default: no encryption.
   */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Bearer token that is sent with each call. It requires `tls`. Default: none. */
  readonly token?: Token | undefined;
  /**
   * Time limit of a call that is not a stream, including retries while the server cannot be
   * reached, ms. Default 30,000.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether a broker of a cluster refuses calls for what it does not own with a NotOwnerError,
   * instead of passing them on to the owner. Calls fail at once where the broker cannot be reached,
   * because their caller then looks for another owner. For brokers themselves. Default false.
   */
  readonly ownerOnly?: boolean | undefined;
  /**
   * Called when the connection is lost, when a call fails while it is lost, and when it is
   * restored. Default: emits a process warning, which Node prints to stderr, at most every 30 s
   * while the connection is lost.
   */
  readonly onEvent?: OnClientEvent | undefined;
}

/** Certificates for TLS, as PEM or as names of PEM files. */
export interface TlsOptions {
  /**
   * Certificates of the CAs that may have signed the server's certificate. Default: the CAs that
   * Node trusts.
   */
  readonly ca?: string | Uint8Array | undefined;
  /** Name of a file with `ca`. Default: none. */
  readonly caFile?: string | undefined;
  /** Certificate of the client, for servers that require one. Default: none. */
  readonly cert?: string | Uint8Array | undefined;
  /** Name of a file with `cert`. Default: none. */
  readonly certFile?: string | undefined;
  /** Private key of `cert`. Default: none. */
  readonly key?: string | Uint8Array | undefined;
  /** Name of a file with `key`. Default: none. */
  readonly keyFile?: string | undefined;
}

/**
 * A bearer token, or a function that returns one. The function is called before each call, so that
 * tokens may be short-lived.
 */
export type Token = string | (() => string | Promise<string>);

const pemRule = either(nonEmptyString, (value) => (value instanceof Uint8Array ? undefined : "a Uint8Array"));

export const connectRules: OptionRules<ConnectOptions> = {
  timeoutMs: durationMs({ min: 1 }),
  ownerOnly: boolean,
  onEvent: func,
  token: either(nonEmptyString, func),
  tls: either(
    boolean,
    nested<TlsOptions>({
      ca: pemRule,
      caFile: nonEmptyString,
      cert: pemRule,
      certFile: nonEmptyString,
      key: pemRule,
      keyFile: nonEmptyString,
    }),
  ),
};
