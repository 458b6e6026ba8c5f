import { boolean, durationMs, either, func, nested, nonEmptyString, type OptionRules } from "@logstore/codec";
import type { OnClientEvent } from "../common/events.js";

/** How a client reaches its server. */
export interface ConnectOptions {
  /** Encrypts connections with TLS; `true` takes the defaults. Default: nothing is encrypted. */
  readonly tls?: boolean | TlsOptions | undefined;
  /** Bearer token that is sent with each call; it needs `tls`. Default: none is sent. */
  readonly token?: Token | undefined;
  /**
   * Limit of a call that is not a stream, ms, tries to reach the server included. Default 30,000.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Called when the connection is lost, when a call fails while it is, and when it is restored.
   * Default: a process warning, which Node prints to stderr, at most every 30 s while it is lost.
   */
  readonly onEvent?: OnClientEvent | undefined;
}

/** Certificates of the client's side of TLS, as PEM or in PEM files. */
export interface TlsOptions {
  /** CAs that the server's certificate may be signed by. Default: those that Node trusts. */
  readonly ca?: string | Uint8Array | undefined;
  /** File of `ca`. */
  readonly caFile?: string | undefined;
  /** Certificate of the client, where the server asks for one. Default: none. */
  readonly cert?: string | Uint8Array | undefined;
  /** File of `cert`. */
  readonly certFile?: string | undefined;
  /** Private key of `cert`. */
  readonly key?: string | Uint8Array | undefined;
  /** File of `key`. */
  readonly keyFile?: string | undefined;
}

/**
 * A token, or a function that returns one. The function is called before each call, so that tokens
 * may be short-lived.
 */
export type Token = string | (() => string | Promise<string>);

const pemRule = either(nonEmptyString, (value) => (value instanceof Uint8Array ? undefined : "a Uint8Array"));

export const connectRules: OptionRules<ConnectOptions> = {
  timeoutMs: durationMs({ min: 1 }),
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
