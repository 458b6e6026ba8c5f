/** Options of the engine. */
import {
  boolean,
  checkOptions,
  durationMs,
  nonEmptyString,
  type OptionRules,
  oneOf,
  wholeNumber,
} from "@logstore/codec";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import type { JetStreamEvent } from "./events/jetstream-events.js";

/** Options of {@link JetStreamEngine.open}. */
export interface JetStreamEngineOptions {
  /** Addresses of NATS servers. Default `nats://127.0.0.1:4222`. */
  readonly servers?: readonly string[] | undefined;
  /** Further options of the NATS connection, such as credentials and TLS. */
  readonly connection?: NodeConnectionOptions | undefined;
  /** File with the credentials of a NATS user, as `nsc` makes them. Default: none. */
  readonly credentialsFile?: string | undefined;
  /** Separates clusters of brokers that share a NATS account. Default "logstore". */
  readonly namespace?: string | undefined;
  /**
   * Name of this broker, under which its groups' journal is stored. No two brokers that run at the
   * same time have the same. Default "broker".
   */
  readonly broker?: string | undefined;
  /**
   * `host:port` under which clients and other brokers reach this one. With an address, the broker
   * shares the partitions and groups of the namespace with the other brokers that have one: see
   * docs/cluster.md. Default: it owns all of them alone.
   */
  readonly address?: string | undefined;
  /**
   * Whether the broker owns nothing, while there are others, until `Broker.join()` is called: for a
   * server, which calls it once it listens. Default false.
   */
  readonly standby?: boolean | undefined;
  /** How long a broker owns its partitions after it was last heard of, in ms. Default 3,000. */
  readonly leaseMs?: number | undefined;
  /** Replicas of each stream that is created: 1, 3 or 5. Default 3. */
  readonly replicas?: 1 | 3 | 5 | undefined;
  /**
   * Whether the NATS servers are configured with `sync_interval: always`. Only then does the engine
   * offer the durability `flushed`. Default false.
   */
  readonly syncsAlways?: boolean | undefined;
  /**
   * The monitoring ports of all NATS servers, `http://host:8222`. With `syncsAlways`, they are
   * asked at the start and every minute whether it is so. If one answers no, the engine does not
   * open; if it is open already, `flushed` is not offered until it is opened again: appends that
   * ask for it, and topics that have it, get UNAVAILABLE. Default: none is asked.
   */
  readonly monitoringUrls?: readonly string[] | undefined;
  /** How long one request to NATS may take, in ms. Default 5,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long an append waits for its outcome, in ms. Default 30,000. */
  readonly appendTimeoutMs?: number | undefined;
  /** Memory for messages that were written or read last, in bytes. Default 64 MiB. */
  readonly cacheBytes?: number | undefined;
  /** Called with each event, for metrics and logs. */
  readonly onEvent?: ((event: JetStreamEvent) => void) | undefined;
}

export interface CheckedOptions {
  readonly connection: NodeConnectionOptions;
  readonly credentialsFile: string | undefined;
  readonly namespace: string;
  readonly broker: string;
  readonly address: string | undefined;
  readonly standby: boolean;
  readonly leaseMs: number;
  readonly replicas: 1 | 3 | 5;
  readonly syncsAlways: boolean;
  readonly monitoringUrls: readonly string[];
  readonly requestTimeoutMs: number;
  readonly appendTimeoutMs: number;
  readonly cacheBytes: number;
  readonly onEvent: ((event: JetStreamEvent) => void) | undefined;
}

const name = (value: unknown) =>
  typeof value === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(value) ? undefined : "1 to 64 of A-Z a-z 0-9 _ -";

const RULES: OptionRules<JetStreamEngineOptions> = {
  servers: (value) => (Array.isArray(value) && value.length > 0 ? undefined : "a list of addresses"),
  connection: (value) => (typeof value === "object" && value !== null ? undefined : "options of a NATS connection"),
  credentialsFile: nonEmptyString,
  namespace: name,
  broker: name,
  address: (value) =>
    typeof value === "string" && /^(\[[0-9a-f:.]+\]|[^\s:/]+):\d{1,5}$/i.test(value) ? undefined : "host:port",
  standby: boolean,
  leaseMs: durationMs({ min: 300 }),
  replicas: oneOf(1, 3, 5),
  syncsAlways: boolean,
  monitoringUrls: (value) =>
    Array.isArray(value) && value.every((url) => URL.canParse(url)) ? undefined : "a list of URLs",
  requestTimeoutMs: durationMs({ min: 100 }),
  appendTimeoutMs: durationMs({ min: 100 }),
  cacheBytes: wholeNumber({ min: 0 }),
  onEvent: (value) => (typeof value === "function" ? undefined : "a function"),
};

/** @throws InvalidArgumentError */
export function checkedOptions(options: JetStreamEngineOptions): CheckedOptions {
  checkOptions("JetStream engine", options, RULES);
  const { servers, connection, namespace, broker, replicas, syncsAlways } = options;
  return {
    connection: { ...connection, ...(servers && { servers: [...servers] }) },
    credentialsFile: options.credentialsFile,
    namespace: namespace ?? "logstore",
    broker: broker ?? "broker",
    address: options.address,
    standby: options.standby ?? false,
    leaseMs: options.leaseMs ?? 3_000,
    replicas: replicas ?? 3,
    syncsAlways: syncsAlways ?? false,
    monitoringUrls: options.monitoringUrls ?? [],
    requestTimeoutMs: options.requestTimeoutMs ?? 5_000,
    appendTimeoutMs: options.appendTimeoutMs ?? 30_000,
    cacheBytes: options.cacheBytes ?? 64 * 1024 * 1024,
    onEvent: options.onEvent,
  };
}
