/**
 * The homes of a log, in each of which the guarantees hold: embedded or served, in memory or on
 * disk.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectOptions, connect, GrpcLogApi, type LogClient } from "@logstore/client";
import { ClosedError } from "@logstore/codec";
import { Broker, type BrokerOptions } from "@logstore/core";
import { MemoryEngine } from "@logstore/core/engine";
import { JetStreamEngine } from "@logstore/engine-jetstream";
import type { LogApi } from "@logstore/protocol";
import { type AccessConfig, type ServeOptions, serve } from "@logstore/server-grpc";
import { NatsServers, natsServer } from "../../packages/engine-jetstream/test/nats-servers.ts";
import { CertificateAuthority, directoryWith } from "../../packages/server-grpc/test/certificates.ts";

export interface Home {
  /** The bare API, as a transport sees it. */
  readonly api: LogApi;
  readonly client: LogClient;
  /** Another client of the same log, which can be cut off as if its process had died. */
  another(): Mortal;
  close(): Promise<void>;
}

export interface Mortal {
  readonly client: LogClient;
  kill(): void;
}

export type OpenHome = (options?: BrokerOptions) => Promise<Home>;

export const homes: Record<string, OpenHome> = {
  memory: async (options) => embedded(await Broker.open(":memory:", options)),

  directory: async (options) => {
    const directory = await temporaryDirectory();
    const home = embedded(await Broker.open(directory, options));
    return { ...home, close: () => home.close().finally(() => removeDirectory(directory)) };
  },

  gRPC: async (options) => served(await Broker.open(":memory:", options)),

  "gRPC with TLS": async (options) => {
    const ca = await CertificateAuthority.create();
    const { cert, key } = await ca.issue(["server"]);
    const files = await directoryWith({ "cert.pem": cert, "key.pem": key });
    const tls = { certFile: files.path("cert.pem"), keyFile: files.path("key.pem") };
    const token = randomBytes(32).toString("hex");
    const access: AccessConfig = {
      tokens: [{ principal: "tests", sha256: createHash("sha256").update(token).digest("hex") }],
      rules: [{ principals: ["tests"], operations: ["*"], topics: ["*"], groups: ["*"] }],
    };
    const home = await served(await Broker.open(":memory:", options), { tls, access }, { tls: { ca: ca.cert }, token });
    return { ...home, close: () => home.close().finally(files.remove) };
  },
};

async function served(broker: Broker, options: ServeOptions = {}, shown: ConnectOptions = {}): Promise<Home> {
  const server = await serve(broker, { port: 0, ...options });
  const api = new GrpcLogApi(server.address, shown);
  const client = connect(server.address, shown);
  return {
    api,
    client,
    another() {
      const mortal = new GrpcLogApi(server.address, shown);
      return { client: connect(mortal), kill: () => mortal.close() };
    },
    async close() {
      await client.close();
      api.close();
      await server.stop();
      await broker.close();
    },
  };
}

function embedded(broker: Broker): Home {
  const client = connect(broker);
  return {
    api: broker,
    client,
    another: () => mortalClient(broker),
    async close() {
      await client.close();
      await broker.close();
    },
  };
}

/** A client in this process. Once it is killed, its memberships end and its calls fail. */
function mortalClient(broker: Broker): Mortal {
  const memberships: AsyncIterator<unknown>[] = [];
  let isDead = false;
  const api = new Proxy(broker, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        if (isDead) throw new ClosedError("this client is dead");
        const result = method.apply(target, args);
        if (name === "joinGroup") memberships.push(result[Symbol.asyncIterator]());
        return result;
      };
    },
  });
  const kill = () => {
    isDead = true;
    for (const membership of memberships) void membership.return?.();
  };
  return { client: connect(api as unknown as LogApi), kill };
}

/** A broker on an engine without files: it has no snapshots, and memory is never flushed. */
export const WITHOUT_FILES = "an engine without files";

/** Where there is a NATS server. One replica and no syncs: the same durability as memory. */
const IN_NATS = "NATS JetStream";

/** The homes without snapshots of topics, which offer the durability `written` only. */
export const withoutFiles: ReadonlySet<string> = new Set([WITHOUT_FILES, IN_NATS]);

/** The homes in which the contract of clients holds. */
export const contractHomes: Record<string, OpenHome> = {
  ...homes,
  [WITHOUT_FILES]: async () => embedded(await Broker.openOn(new MemoryEngine())),
  ...(natsServer() !== undefined && {
    [IN_NATS]: async () => embedded(await Broker.openOn(await engineInNats())),
  }),
};

let natsServers: Promise<NatsServers> | undefined;
let namespaces = 0;

/** An engine in a namespace of its own, on the server that the homes of a test file share. */
async function engineInNats(): Promise<JetStreamEngine> {
  natsServers ??= NatsServers.start();
  const { addresses } = await natsServers;
  return JetStreamEngine.open({ servers: addresses, namespace: `home-${++namespaces}`, replicas: 1 });
}

/** Stops what the homes of a test file have started. */
export async function stopShared(): Promise<void> {
  await (await natsServers)?.stop();
}

export function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "logstore-test-"));
}

export function removeDirectory(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true });
}
