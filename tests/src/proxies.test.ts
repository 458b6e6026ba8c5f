/**
 * Clients behind proxies with the configurations of docs/operations.md: nothing is lost, repeated
 * or refused because of a proxy.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, GrpcLogApi, type LogClient, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { describe, expect, type TestContext, test } from "vitest";
import { skipped } from "../../packages/core/test/skipped.ts";
import { CertificateAuthority, directoryWith } from "../../packages/server-grpc/test/certificates.ts";
import { freePort } from "./free-port.ts";
import { type Documented, documented, isInstalled, ProxyProcess } from "./proxies/proxy.ts";

/**
 * Length of the silence. LOGSTORE_PROXY_IDLE_MS=75000 exceeds the proxies' own default timeouts.
 */
const idleMs = Number(process.env["LOGSTORE_PROXY_IDLE_MS"] ?? 4_000);
const PARTITIONS = 200;
const LARGE_BYTES = 20_000_000;
const MAX_BATCH_BYTES = 32 * 2 ** 20;

/** A server and a client with the proxy between them. */
async function behind(documented: Documented, onTestFinished: TestContext["onTestFinished"]) {
  const directory = mkdtempSync(join(tmpdir(), "logstore-proxy-"));
  const ca = await CertificateAuthority.create();
  const pair = await ca.issue(["server"]);
  const files = await directoryWith({ "cert.pem": pair.cert, "key.pem": pair.key });
  const tls = { certFile: files.path("cert.pem"), keyFile: files.path("key.pem") };
  const broker = await Broker.open(":memory:");
  const options = {
    ...(documented.isPassThrough ? { tls } : {}),
    maxConnections: 4_000,
    maxBatchBytes: MAX_BATCH_BYTES,
    drainTimeoutMs: 500,
  };
  const port = await freePort();
  let server = await serve(broker, { ...options, port });
  const proxy = await ProxyProcess.start(documented, directory, server.address, pair);
  const address = `127.0.0.1:${proxy.port}`;
  const credentials = { tls: { ca: ca.cert } };
  const client = connect(address, credentials);
  onTestFinished(async () => {
    await client.close();
    await proxy.kill();
    await server.stop();
    await broker.close();
    await files.remove();
    rmSync(directory, { recursive: true, force: true });
  });
  const stopServer = () => server.stop();
  const startServer = async () => {
    server = await serve(broker, { ...options, port });
  };
  return { proxy, client, address, credentials, stopServer, startServer };
}

/** In each round, sends a record to each partition and reads all of them as a group. */
class Rounds {
  count = 0;
  /** How often each value was read. */
  readonly seen = new Map<string, number>();
  readonly #producer;
  readonly #consumer;
  readonly #reading: Promise<void>;

  constructor(client: LogClient) {
    this.#producer = client.producer("wide");
    this.#consumer = client.consumer({ group: "g", topics: ["wide"], value: text() });
    this.#reading = this.#read();
    this.#reading.catch(() => {}); // reported by next()
  }

  async #read(): Promise<void> {
    for await (const { value } of this.#consumer) this.seen.set(value, (this.seen.get(value) ?? 0) + 1);
  }

  /** Resolves when every record of the round has been read and committed. */
  async next(): Promise<void> {
    const round = ++this.count;
    const records = Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      value: `round ${round}, ${partition}`,
    }));
    await this.#producer.sendMany(records);
    const arrived = async () => {
      while (this.seen.size < round * PARTITIONS) await sleep(20);
    };
    await Promise.race([arrived(), this.#reading]);
    await this.#consumer.commit();
  }
}

/**
 * Status and start of the response to a request. The status is 0 if the connection ends without a
 * response.
 */
async function answerOf(address: string, ca: string): Promise<{ status: number; contentType: string; body: string }> {
  const session = connectHttp2(`https://${address}`, { ca });
  const answer = { status: 0, contentType: "", body: "" };
  try {
    await new Promise<void>((resolve) => {
      session.on("error", () => resolve()).on("close", () => resolve());
      const stream = session.request({
        ":method": "POST",
        ":path": "/logstore.v1.AdminService/ListTopics",
        "content-type": "application/grpc",
        te: "trailers",
      });
      stream.on("response", (headers) => {
        answer.status = Number(headers[":status"]);
        answer.contentType = String(headers["content-type"]);
      });
      stream.setEncoding("utf8").on("data", (chunk: string) => (answer.body += chunk));
      stream.on("error", () => resolve()).on("close", () => resolve());
      stream.end(Buffer.alloc(5)); // an empty message
    });
  } finally {
    session.destroy();
  }
  return answer;
}

/** The server is down: the proxy's own response is not a gRPC message, and the client retries. */
async function expectUnavailable({ awayStatus }: Documented, address: string, credentials: { tls: { ca: string } }) {
  const { status, contentType, body } = await answerOf(address, credentials.tls.ca);
  expect(status).toBe(awayStatus);
  if (awayStatus > 200) expect([contentType, body]).toEqual(["text/html", expect.stringMatching(/^<html>/)]);
  const api = new GrpcLogApi(address, { ...credentials, timeoutMs: 10_000 });
  await expect(api.listTopics()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await api.close();
}

// Each spends most of its time in silence.
describe.concurrent.each(Object.entries(documented))("%s", (_name, which) => {
  if (!isInstalled(which)) skipped(`${which.command} is not installed`);

  test.skipIf(!isInstalled(which))(
    "a group, a producer and large batches go on, whatever it does",
    async ({ onTestFinished }) => {
      const { proxy, client, address, credentials, stopServer, startServer } = await behind(which, onTestFinished);
      await client.createTopic("wide", { partitions: PARTITIONS });
      await client.createTopic("large", { partitions: 1, maxBatchBytes: MAX_BATCH_BYTES });
      const rounds = new Rounds(client);
      await rounds.next();
      await client.producer("large").sendMany([{ value: new Uint8Array(LARGE_BYTES) }]);

      await sleep(idleMs);
      await rounds.next();

      await proxy.reload();
      await rounds.next();

      await proxy.kill();
      await sleep(100);
      await proxy.start();
      await rounds.next();

      await stopServer();
      const next = rounds.next();
      await expectUnavailable(which, address, credentials);
      await startServer();
      await next;

      // Timeouts that are too short close every silent stream. On a busy machine, those that are
      // opened again are silent for some seconds, too.
      proxy.configure("8s");
      await proxy.kill();
      await proxy.start();
      await rounds.next();
      await sleep(9_000);
      await rounds.next();

      let length = 0;
      for await (const { value } of client.reader({ assign: { large: [0] }, until: "latest" })) length += value.length;
      expect(length).toBe(LARGE_BYTES);
      expect(rounds.seen.size).toBe(rounds.count * PARTITIONS);
      expect([...rounds.seen].filter(([, count]) => count > 1)).toEqual([]);
      const { partitions } = await client.describeTopic("wide");
      expect(partitions.filter(({ logEndOffset }) => logEndOffset !== rounds.count)).toEqual([]);
    },
    idleMs + 500_000,
  );
});
