/** Clients behind Debian's nginx and haproxy: nothing is lost, repeated or refused for what a proxy does. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type LogClient, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { describe, expect, onTestFinished, test } from "vitest";

/** ms; with LOGSTORE_PROXY_IDLE_MS=75000 the proxies have timeouts as they are deployed with. */
const idleMs = Number(process.env["LOGSTORE_PROXY_IDLE_MS"] ?? 4_000);
const PARTITIONS = 200;

interface Proxy {
  readonly command: string;
  readonly version: readonly string[];
  config(port: number, upstream: string, directory: string): string;
  run(configFile: string, directory: string): readonly string[];
  /** Takes another process's place, so that calls under way go on in the old one. */
  reload(configFile: string, directory: string, child: ChildProcess): ChildProcess;
}

const nginx: Proxy = {
  command: "nginx",
  version: ["-v"],
  // As in docs/operations.md.
  config: (port, upstream, directory) => `
    daemon off; pid ${directory}/nginx.pid; error_log ${directory}/error.log; worker_processes 1;
    events { worker_connections 4096; }
    http {
      access_log off; client_body_temp_path ${directory}/body;
      proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
      server {
        listen 127.0.0.1:${port} http2;
        client_max_body_size 0;
        client_body_timeout 1h;
        keepalive_requests 1000000;
        location / { grpc_pass grpc://${upstream}; grpc_read_timeout 1h; grpc_send_timeout 1h; grpc_socket_keepalive on; }
      }
    }`,
  run: (file) => ["-c", file],
  reload: (_file, _directory, child) => {
    child.kill("SIGHUP");
    return child;
  },
};

const haproxy = (mode: "h2" | "tcp"): Proxy => ({
  command: "haproxy",
  version: ["-v"],
  config: (port, upstream, directory) => `
    global
      stats socket ${directory}/s mode 600 level admin expose-fd listeners
      maxconn 4000
    defaults
      mode ${mode === "h2" ? "http" : "tcp"}
      timeout connect 1s
      timeout client 1h
      timeout server 1h
    frontend in
      bind 127.0.0.1:${port}${mode === "h2" ? " proto h2" : ""}
      default_backend logstore
    backend logstore
      server one ${upstream}${mode === "h2" ? " proto h2" : ""}`,
  run: (file) => ["-db", "-f", file],
  reload: (file, directory, child) =>
    start("haproxy", ["-db", "-f", file, "-x", `${directory}/s`, "-sf", `${child.pid}`]),
});

const proxies: { readonly [name: string]: Proxy } = {
  nginx,
  "haproxy, HTTP/2": haproxy("h2"),
  "haproxy, TCP": haproxy("tcp"),
};

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const isUp = await new Promise((resolve) => {
      const socket = connectTcp(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isUp) return;
    await sleep(20);
  }
}

describe.each(Object.entries(proxies))("%s", (_name, proxy) => {
  const { error } = spawnSync(proxy.command, proxy.version);
  const title = error
    ? `skipped: ${proxy.command} is not installed`
    : "a group, a producer and large batches go on, whatever it does";

  test.skipIf(error !== undefined)(
    title,
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "logstore-proxy-"));
      const broker = await Broker.open(":memory:");
      const options = { port: 0, maxConnections: 4_000, maxBatchBytes: 32 * 2 ** 20, drainTimeoutMs: 500 };
      let server = await serve(broker, options);
      const upstreamPort = Number(server.address.split(":").at(-1));
      const port = await freePort();
      const file = join(directory, "config");
      writeFileSync(file, `${proxy.config(port, server.address, directory)}\n`);
      let child = start(proxy.command, proxy.run(file, directory));
      const client: LogClient = connect(`127.0.0.1:${port}`);
      onTestFinished(async () => {
        await client.close();
        child.kill("SIGKILL");
        await server.stop();
        await broker.close();
        rmSync(directory, { recursive: true, force: true });
      });
      await listening(port);
      await client.createTopic("wide", { partitions: PARTITIONS });
      await client.createTopic("large", { partitions: 1, maxBatchBytes: 32 * 2 ** 20 });
      const producer = client.producer("wide");
      const seen = new Map<string, number>();
      const consumer = client.consumer({ group: "g", topics: ["wide"], value: text() });
      const reading = (async () => {
        for await (const { value } of consumer) seen.set(value, (seen.get(value) ?? 0) + 1);
      })();
      reading.catch(() => {}); // told below
      let round = 0;
      /** A record to each partition; resolves when all of them were read. */
      const sendAndRead = async () => {
        const name = `round ${++round}`;
        const records = Array.from({ length: PARTITIONS }, (_, partition) => ({
          partition,
          value: `${name}, ${partition}`,
        }));
        await producer.sendMany(records);
        const arrived = async () => {
          while (seen.size < round * PARTITIONS) await sleep(20);
        };
        await Promise.race([arrived(), reading]);
        await consumer.commit();
      };

      await sendAndRead();
      const large = client.producer("large");
      await large.sendMany([{ value: new Uint8Array(20_000_000) }]);
      await sleep(idleMs);
      await sendAndRead();
      child = proxy.reload(file, directory, child);
      await sleep(200);
      await sendAndRead();
      child.kill("SIGKILL");
      await sleep(100);
      child = start(proxy.command, proxy.run(file, directory));
      await sendAndRead();
      // The server is away: the proxy answers with a page, or ends the connection.
      await server.stop();
      const sent = sendAndRead();
      await sleep(500);
      server = await serve(broker, { ...options, port: upstreamPort });
      await sent;

      let length = 0;
      for await (const { value } of client.consumer({ assign: { large: [0] }, until: "latest" }))
        length += value.length;
      expect(length).toBe(20_000_000);
      expect(seen.size).toBe(round * PARTITIONS);
      const { partitions } = await client.describeTopic("wide");
      expect(partitions.filter(({ logEndOffset }) => logEndOffset !== round)).toEqual([]);
      // At least once: what was processed and not committed when a member was cut off may come again; nothing else.
      expect([...seen].filter(([, count]) => count > 1)).toEqual([]);
    },
    idleMs + 90_000,
  );
});
