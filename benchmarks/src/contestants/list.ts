/** Who takes part, by the names that the tables show. */
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Skipped } from "./embedded.ts";

export interface Contestant {
  readonly name: string;
  /** File of the adapter, relative to `benchmarks`. */
  readonly file: string;
  /** One of several ways in which the contestant can be used. */
  readonly way?: string;
  /** Another built checkout, whose packages are used instead of this one's. */
  readonly checkout?: string;
}

/** A client of a server. */
export interface ServedContestant extends Contestant {
  /** File that starts the server; clients with the same one share it. */
  readonly server: string;
  /** Of another system, for Node: the best of them is what LogStore is compared with. */
  readonly isNodeClient?: boolean;
  /** Each run is a process of its own. */
  readonly isTool?: boolean;
  /** It produces as another contestant does. */
  readonly onlyConsumes?: boolean;
}

/** A contestant that takes no part. */
export interface Absent {
  /** As "skipped: there is no redis-server". */
  readonly absence: string;
}

const OWN = "src/contestants";
const ROOT = new URL("../../", import.meta.url);
const PEERS_INSTALL = fileURLToPath(new URL("peers/node_modules", ROOT));

export const EMBEDDED: readonly Contestant[] = [
  { name: "raw file", file: `${OWN}/raw-file.ts` },
  { name: "raw file, for await", file: `${OWN}/raw-file.ts`, way: "for await" },
  { name: "LogStore", file: `${OWN}/logstore-embedded.ts`, way: "batches" },
  { name: "LogStore, chunks", file: `${OWN}/logstore-embedded.ts`, way: "chunks" },
  { name: "LogStore, records", file: `${OWN}/logstore-embedded.ts`, way: "records" },
  { name: "node:sqlite", file: "peers/embedded/node-sqlite.ts" },
  { name: "lmdb", file: "peers/embedded/lmdb.ts" },
  { name: "classic-level", file: "peers/embedded/classic-level.ts" },
  { name: "hypercore", file: "peers/embedded/hypercore.ts" },
  { name: "async-append-only-log", file: "peers/embedded/async-append-only-log.ts" },
  { name: "Go ancestor", file: "peers/embedded/go-ancestor.ts" },
];

const LOGSTORE = { server: `${OWN}/logstore-server.ts`, file: `${OWN}/logstore-client.ts` };
const NATS = { server: "peers/served/nats-server.ts", file: "peers/served/nats.ts", isNodeClient: true };
const REDIS = { server: "peers/served/redis-server.ts", isNodeClient: true };
const KAFKA = { server: "peers/served/kafka-server.ts" };

export const SERVED: readonly ServedContestant[] = [
  { name: "bare gRPC", server: `${OWN}/bare-server.ts`, file: `${OWN}/bare-client.ts` },
  { name: "LogStore, sealed", ...LOGSTORE, way: "sealed" },
  { name: "LogStore, sendMany", ...LOGSTORE, way: "sendMany" },
  { name: "LogStore, send", ...LOGSTORE, way: "send" },
  { name: "LogStore, chunks", ...LOGSTORE, way: "chunks", onlyConsumes: true },
  { name: "Redis, ioredis", ...REDIS, file: "peers/served/ioredis.ts" },
  { name: "Redis, node-redis", ...REDIS, file: "peers/served/node-redis.ts" },
  { name: "JetStream", ...NATS, way: "single" },
  { name: "JetStream, packed", ...NATS, way: "packed" },
  { name: "Kafka, @platformatic/kafka", ...KAFKA, isNodeClient: true, file: "peers/served/platformatic-kafka.ts" },
  { name: "Kafka, kafkajs", ...KAFKA, isNodeClient: true, file: "peers/served/kafkajs.ts" },
  { name: "Kafka, Java tools", ...KAFKA, isTool: true, file: "peers/served/kafka-java.ts" },
  {
    name: "RabbitMQ Streams",
    server: "peers/served/rabbitmq-server.ts",
    file: "peers/served/rabbitmq.ts",
    isNodeClient: true,
  },
  {
    name: "PostgreSQL",
    server: "peers/served/postgres-server.ts",
    file: "peers/served/postgres.ts",
    isNodeClient: true,
  },
];

const REPLICATED = { ...NATS, server: "peers/served/nats-cluster.ts" };
const BROKER = { ...LOGSTORE, server: `${OWN}/logstore-cluster.ts` };

/** Each stream is on three servers. */
export const CLUSTER: readonly ServedContestant[] = [
  { name: "LogStore, sealed", ...BROKER, way: "sealed" },
  { name: "LogStore, sendMany", ...BROKER, way: "sendMany" },
  { name: "LogStore, in process", server: REPLICATED.server, file: `${OWN}/logstore-in-process.ts` },
  { name: "JetStream, one in flight", ...REPLICATED, way: "one in flight" },
  { name: "JetStream, packed", ...REPLICATED, way: "packed" },
  { name: "JetStream", ...REPLICATED, way: "single" },
];

export interface Choice {
  /** Parts of names. */
  readonly beside: readonly string[];
  readonly otherCheckout?: string | undefined;
}

/**
 * Who runs: LogStore, the limits of the machine, and the other systems whose name has one of the
 * parts (none: all of them). With another checkout: LogStore of both, one after the other.
 */
export function takingPart<C extends Contestant>(
  contestants: readonly C[],
  { beside, otherCheckout }: Choice,
): readonly C[] {
  if (otherCheckout !== undefined) {
    return contestants
      .filter(({ name }) => isLogStore(name))
      .flatMap((one) => [one, { ...one, name: otherBuildOf(one.name), checkout: otherCheckout }]);
  }
  const isNamed = (name: string) => beside.some((part) => name.toLowerCase().includes(part.toLowerCase()));
  return contestants.filter(({ name, file }) => beside.length === 0 || file.startsWith(OWN) || isNamed(name));
}

export function isLogStore(name: string): boolean {
  return name.startsWith("LogStore");
}

/** The name of the same contestant of the other checkout. */
export function otherBuildOf(name: string): string {
  return `${name} (other build)`;
}

/** Loads the adapter's module. Throws {@link Skipped} if its packages are not installed. */
export async function load<Module>(file: string): Promise<Module> {
  if (!existsSync(new URL(file, ROOT))) throw new Skipped("there is no adapter");
  if (file.startsWith("peers/") && !existsSync(PEERS_INSTALL)) {
    throw new Skipped("the peers are not installed: run pnpm bench:install");
  }
  return import(pathToFileURL(fileURLToPath(new URL(file, ROOT))).href);
}

/**
 * Turns what {@link load} or a peer's adapter threw into the reason why the contestant is absent: a
 * peer that fails does not end the run of the others. Throws what LogStore threw.
 */
export function absenceBy(error: unknown, file: string): Absent {
  if (error instanceof Skipped) return { absence: `skipped: ${error.message}` };
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ERR_MODULE_NOT_FOUND") return { absence: "skipped: it is not installed: run pnpm bench:install" };
  if (file.startsWith("peers/")) return { absence: `failed: ${message.split("\n")[0]}` };
  throw error;
}
