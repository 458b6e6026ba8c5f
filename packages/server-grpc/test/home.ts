/** A server with a client and a topic, which are closed when the test ends. */
import type { LogApi, TopicHealthApi } from "@logstore/protocol";
import { onTestFinished } from "vitest";
import { type LogStoreServer, type ServeOptions, serve } from "../src/index.js";
import { FakeLog } from "./fake-log.js";
import { ForeignClient } from "./foreign-client.js";

export interface Home {
  readonly api: FakeLog;
  readonly server: LogStoreServer;
  readonly client: ForeignClient;
}

/** The topic is "t" and has two partitions. `api` replaces methods of the fake. */
export async function home({
  api: changes,
  ...options
}: ServeOptions & { api?: Partial<LogApi & TopicHealthApi> } = {}): Promise<Home> {
  const api = new FakeLog();
  await api.createTopic({ topic: "t", partitions: 2 });
  Object.assign(api, changes);
  const server = await serve(api, { port: 0, drainTimeoutMs: 2_000, ...options });
  const client = new ForeignClient(server.address);
  onTestFinished(async () => {
    client.close();
    await server.stop();
  });
  return { api, server, client };
}

/**
 * A client with a connection of its own: streams of one connection share its window, which stalled
 * streams fill.
 */
export function anotherClient({ server }: Home): ForeignClient {
  const client = new ForeignClient(server.address);
  onTestFinished(() => client.close());
  return client;
}

/** Waits until a condition holds. */
export async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Waits until a number has stopped changing. */
export async function settled(read: () => number): Promise<number> {
  for (let last = read(), same = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    same = read() === last ? same + 1 : 0;
    last = read();
    if (same === 10) return last;
  }
}
