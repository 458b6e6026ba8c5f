/** The options of a server, and their validation. */
import {
  boolean,
  checkArgument,
  checkOptions,
  durationMs,
  func,
  InvalidArgumentError,
  limit,
  nonEmptyString,
  type OptionRules,
  objectWith,
  required,
  wholeNumber,
} from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { type AccessConfig, accessRule } from "../access/access-config.js";
import type { Refusal } from "../access/refusal.js";
import type { Peer } from "../cluster/peers.js";
import { LARGEST_MAX_BATCH_BYTES } from "../transport/limits.js";
import { isLoopback } from "../transport/loopback.js";
import { type ServerTlsOptions, tlsRule } from "../transport/tls-options.js";

/** Options of {@link serve}. */
export interface ServeOptions {
  /**
   * Name or address to listen on. Default "127.0.0.1", which only this machine can reach. Any other
   * needs `tls` and `access`, or `insecure`.
   */
  readonly host?: string;
  /** Port to listen on; 0 chooses a free one. Default 7411. */
  readonly port?: number;
  /**
   * Largest `batches` of a request, in bytes, at most 1 GiB; larger messages are refused unread.
   * Default 16 MiB.
   */
  readonly maxBatchBytes?: number;
  /** Encrypts all connections. The files are reloaded when they change. Default: no encryption. */
  readonly tls?: ServerTlsOptions | undefined;
  /** Access control. Default: everybody may do everything. */
  readonly access?: AccessConfig | undefined;
  /**
   * Connects to another broker of the cluster, by its address. With it, calls for what another
   * broker owns are passed on, instead of refused with NOT_OWNER. The connection must send the
   * header `logstore-owner-only: 1`. Default: they are refused.
   */
  readonly connectToBroker?: ((address: string) => Peer) | undefined;
  /**
   * Allows other machines to connect although `tls` or `access` is missing, with a warning. Default
   * false.
   */
  readonly insecure?: boolean;
  /** Largest number of connections; more are refused. Default 1,000. */
  readonly maxConnections?: number;
  /**
   * Largest number of connections from one address; more are refused. Default: nine tenths of
   * `maxConnections`, so that other addresses can connect, too.
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * Largest size of messages to all readers together that wait in memory to be sent, in bytes; the
   * more readers, the less each gets at a time. Infinity: no limit. Default 256 MiB.
   */
  readonly sendBudgetBytes?: number;
  /**
   * Largest size of all appends together, of ProduceStreams and of Produce calls, that wait in
   * memory for their acks, in bytes. Infinity: no limit. Default 256 MiB.
   */
  readonly receiveBudgetBytes?: number;
  /**
   * How long a reader may accept nothing of what is sent to it before its stream is ended with
   * SLOW_CONSUMER, in ms. Default 60,000. When the send budget is used up and other readers wait
   * for it, the longest stalled stream is ended after one second. Infinity: only then.
   */
  readonly stalledStreamTimeoutMs?: number;
  /**
   * How long {@link LogStoreServer.stop} waits for calls in progress before it ends them, in ms.
   * Infinity: until they end. Default 10,000.
   */
  readonly drainTimeoutMs?: number;
  /** Whether to serve gRPC reflection, which describes the services and messages. Default true. */
  readonly reflection?: boolean;
  /** Called with the errors that peers only see as "internal error". Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
  /**
   * Called with problems that need attention: certificates that cannot be reloaded, keys that
   * cannot be fetched. Default: `console.warn`.
   */
  readonly onWarning?: (message: string, cause?: unknown) => void;
  /**
   * Called once for each connection and call that is refused. A peer can cause any number of them.
   * Default: not reported.
   */
  readonly onRefused?: (refusal: Refusal) => void;
}

const MAX_PORT = 65_535;
/** The protocol reports it to clients in 32 bits. */
const MAX_MAX_CONNECTIONS = 2 ** 31 - 1;

const rules: OptionRules<ServeOptions> = {
  host: nonEmptyString,
  port: wholeNumber({ max: MAX_PORT }),
  maxBatchBytes: wholeNumber({ min: 1, max: LARGEST_MAX_BATCH_BYTES }),
  tls: tlsRule,
  access: accessRule,
  connectToBroker: func,
  insecure: boolean,
  maxConnections: wholeNumber({ min: 1, max: MAX_MAX_CONNECTIONS }),
  maxConnectionsPerAddress: wholeNumber({ min: 1, max: MAX_MAX_CONNECTIONS }),
  sendBudgetBytes: limit(),
  receiveBudgetBytes: limit(),
  stalledStreamTimeoutMs: durationMs({ min: 1 }),
  drainTimeoutMs: durationMs(),
  reflection: boolean,
  onError: func,
  onWarning: func,
  onRefused: func,
};

/**
 * Checks the log and the options, but not the files that these name.
 *
 * @throws InvalidArgumentError that names the option
 */
export function checkServeArguments(api: LogApi, options: ServeOptions): void {
  checkArgument("serve", "the log", api, required(objectWith("produce", "consume")));
  checkServeOptionValues(options);
}

/** @throws InvalidArgumentError that names the option */
export function checkServeOptionValues(options: ServeOptions): void {
  checkOptions("serve", options, rules);
}

/** Other machines are admitted only on explicit request. @throws InvalidArgumentError */
export function checkExposure(
  host: string,
  { tls, access, insecure = false }: ServeOptions,
  onWarning: (message: string) => void,
): void {
  if (isLoopback(host) || (tls && access)) return;
  const missing = [tls ? "" : "nothing is encrypted (tls)", access ? "" : "everybody may do everything (access)"];
  const why = `other machines can connect to ${host}, and ${missing.filter(Boolean).join(" and ")}`;
  if (!insecure) throw new InvalidArgumentError(`${why}: configure it, or set insecure if that is intended`);
  onWarning(why);
}
