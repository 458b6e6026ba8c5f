/** The homes of a log: what is promised holds in each of them. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectOptions, connect, GrpcLogApi, type LogClient } from "@logstore/client";
import { Broker, type BrokerOptions } from "@logstore/core";
import type { LogApi } from "@logstore/protocol";
import { type AccessConfig, type ServeOptions, serve } from "@logstore/server-grpc";
import { CertificateAuthority, directoryWith } from "../../packages/server-grpc/test/certificates.ts";

export interface Home {
  /** The bare API, as a transport sees it. */
  readonly api: LogApi;
  readonly client: LogClient;
  close(): Promise<void>;
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
    async close() {
      await client.close();
      await broker.close();
    },
  };
}

export function temporaryDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "logstore-test-"));
}

export function removeDirectory(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true });
}
