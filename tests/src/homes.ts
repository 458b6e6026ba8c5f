/** The three homes of a log: what is promised holds in each of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, GrpcLogApi, type LogClient } from "@logstore/client";
import { Broker, type BrokerOptions } from "@logstore/core";
import type { LogApi } from "@logstore/protocol";
import { serve } from "@logstore/server-grpc";

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

  gRPC: async (options) => {
    const broker = await Broker.open(":memory:", options);
    const server = await serve(broker, { port: 0 });
    const api = new GrpcLogApi(server.address);
    const client = connect(server.address);
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
  },
};

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
