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
import { LARGEST_MAX_BATCH_BYTES } from "../transport/limits.js";
import { isLoopback } from "../transport/loopback.js";
import { type TlsOptions, tlsRule } from "../transport/tls-files.js";

/** Options of {@link serve}. */
export interface ServeOptions {
  /**
   * Name or address to listen on. Default "127.0.0.1": this machine only. Any other needs `tls` and
   * `access`, or `insecure`.
   */
  readonly host?: string;
  /** 0 takes a free one. Default 7411. */
  readonly port?: number;
  /**
   * Largest `batches` of a request, bytes, at most 1 GiB; larger messages are refused unread.
   * Default 16 MiB.
   */
  readonly maxBatchBytes?: number;
  /**
   * Encrypts everything. The files are read again when they change. Default: nothing is encrypted.
   */
  readonly tls?: TlsOptions | undefined;
  /** Who may do what. Default: everybody everything. */
  readonly access?: AccessConfig | undefined;
  /**
   * Listens where other machines may connect although `tls` or `access` is missing, and warns.
   * Default false.
   */
  readonly insecure?: boolean;
  /** Connections in all; more are refused. Default 1,000. */
  readonly maxConnections?: number;
  /**
   * Connections of one address; more are refused. Default: nine tenths of `maxConnections`, so that
   * others get one, too.
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * What all readers together may have waiting in memory to be sent, bytes; each gets less at a
   * time as they grow many. Infinity: no limit. Default 256 MiB.
   */
  readonly sendBudgetBytes?: number;
  /**
   * What all appends together may have waiting in memory for their acks, bytes: of ProduceStreams
   * and of Produce calls. Infinity: no limit. Default 256 MiB.
   */
  readonly receiveBudgetBytes?: number;
  /**
   * How long a reader may take nothing at all of what is sent to it before it is cut off with
   * SLOW_CONSUMER, ms. Default 60,000. When the budget is used up and others wait for it, the
   * longest stalled reader is cut off after a second. Infinity: only then.
   */
  readonly stalledStreamTimeoutMs?: number;
  /**
   * How long {@link LogStoreServer.stop} waits for calls under way before it cuts them off, ms.
   * Infinity: until they end. Default 10,000.
   */
  readonly drainTimeoutMs?: number;
  /** Whether to answer clients that ask which services and messages there are. Default true. */
  readonly reflection?: boolean;
  /** Gets the errors that peers only see as "internal error". Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
  /**
   * Gets what its owner ought to see to: certificates that cannot be renewed, keys that cannot be
   * had. Default: `console.warn`.
   */
  readonly onWarning?: (message: string, cause?: unknown) => void;
  /**
   * Told once of each connection and each call that is refused. A peer can cause as many as it
   * likes. Default: nobody.
   */
  readonly onRefused?: (refusal: Refusal) => void;
}

const MAX_PORT = 65_535;
/** The protocol tells clients of it in 32 bits. */
const MAX_MAX_CONNECTIONS = 2 ** 31 - 1;

const rules: OptionRules<ServeOptions> = {
  host: nonEmptyString,
  port: wholeNumber({ max: MAX_PORT }),
  maxBatchBytes: wholeNumber({ min: 1, max: LARGEST_MAX_BATCH_BYTES }),
  tls: tlsRule,
  access: accessRule,
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
 * Checks what the log and the options are, but not what they name. @throws InvalidArgumentError
 * that names the option
 */
export function checkServeArguments(api: LogApi, options: ServeOptions): void {
  checkArgument("serve", "the log", api, required(objectWith("produce", "consume")));
  checkServeOptionValues(options);
}

/** @throws InvalidArgumentError that names the option */
export function checkServeOptionValues(options: ServeOptions): void {
  checkOptions("serve", options, rules);
}

/** Strangers are let in on purpose only. @throws InvalidArgumentError */
export function checkExposure(
  host: string,
  { tls, access, insecure = false }: ServeOptions,
  onWarning: (message: string) => void,
): void {
  if (isLoopback(host) || (tls && access)) return;
  const missing = [tls ? "" : "nothing is encrypted (tls)", access ? "" : "everybody may do everything (access)"];
  const why = `other machines can connect to ${host}, and ${missing.filter(Boolean).join(" and ")}`;
  if (!insecure) throw new InvalidArgumentError(`${why}: configure it, or set insecure where that is meant`);
  onWarning(why);
}
