/** Connections to a peer that allows few streams, and responses that are not gRPC. */
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { Connections } from "./connections.js";
import { GrpcLogApi } from "./grpc-log-api.js";
import { protocolDefinitions } from "./load-proto.js";
import { streamWindowBytes } from "./stream-window.js";

// biome-ignore lint/suspicious/noExplicitAny: messages are described by the .proto files
type Any = any;

interface ServerSettings {
  readonly maxStreams: number;
  /** The limits that DescribeServer reports. Default: it is UNIMPLEMENTED. */
  readonly limits?: object;
  /** Number of connections that may make calls; others are refused as by a quota. */
  readonly maxConnections?: number;
}

/** A server whose Consume streams report once that they are caught up, and stay open. */
async function start({ maxStreams, limits, maxConnections = 1_000 }: ServerSettings) {
  const server = new grpc.Server({ "grpc.max_concurrent_streams": maxStreams });
  const { log, admin } = protocolDefinitions();
  const streams = new Map<string, number>();
  const peers = new Set<string>();
  const refused = Object.assign(new Error(), { code: grpc.status.RESOURCE_EXHAUSTED, details: "" });
  const { status, errorDetail } = protocolDefinitions();
  const value = errorDetail.encode({ code: "QUOTA_EXCEEDED", message: "you have 2 connections already" });
  const metadata = new grpc.Metadata();
  const details = [{ type_url: "type.googleapis.com/logstore.v1.ErrorDetail", value }];
  metadata.set("grpc-status-details-bin", Buffer.from(status.encode({ code: 8, message: "", details })));
  const admit = (call: Any) => peers.has(call.getPeer()) || (peers.size < maxConnections && peers.add(call.getPeer()));
  server.addService(log as Any, {
    Consume: (call: Any) => {
      const peer = call.getPeer();
      streams.set(peer, (streams.get(peer) ?? 0) + 1);
      call.on("cancelled", () => streams.set(peer, streams.get(peer)! - 1));
      call.write({ caughtUp: {} });
    },
  });
  server.addService(admin as Any, {
    ListTopics: (_: Any, callback: Any) => callback(null, { topics: [] }),
    DescribeServer: (call: Any, callback: Any) => {
      if (!admit(call)) callback(Object.assign(refused, { metadata }));
      else if (limits) callback(null, { version: "9.9.9", limits });
      else callback({ code: grpc.status.UNIMPLEMENTED });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  onTestFinished(() => server.forceShutdown());
  const api = new GrpcLogApi(`127.0.0.1:${port}`, { timeoutMs: 5_000 });
  onTestFinished(() => api.close());
  return { api, streams };
}

/** Opens a stream and waits for its first event. */
async function open(api: GrpcLogApi, partition: number) {
  const events = api.consume({ topic: "t", partition })[Symbol.asyncIterator]();
  onTestFinished(() => void events.return?.());
  await events.next();
  return events;
}

test("streams go on as many connections as the peer's limit asks for, and short calls go on beside them", async () => {
  const { api, streams } = await start({ maxStreams: 4 });
  await Promise.all(Array.from({ length: 21 }, (_, partition) => open(api, partition)));
  expect([...streams.values()].sort()).toEqual([2, 3, 4, 4, 4, 4]);
  expect(await api.listTopics()).toEqual([]);
});

test("a limit that the server tells is kept, where the peer lets more be open", async () => {
  const { api, streams } = await start({ maxStreams: 100, limits: { maxStreamsPerConnection: 6 } });
  await Promise.all(Array.from({ length: 9 }, (_, partition) => open(api, partition)));
  expect([...streams.values()].sort()).toEqual([3, 6]);
});

test("places of streams that ended are taken again", async () => {
  const { api, streams } = await start({ maxStreams: 4 });
  for (let round = 0; round < 5; round++) {
    const events = await Promise.all(Array.from({ length: 6 }, (_, partition) => open(api, partition)));
    await Promise.all(events.map((each) => each.return?.()));
    await expect.poll(() => [...streams.values()].reduce((sum, count) => sum + count, 0)).toBe(0);
  }
  expect(streams.size).toBe(2);
});

test("streams for which the server permits no further connection fail with an error that says so", async () => {
  const { api, streams } = await start({ maxStreams: 4, maxConnections: 2 });
  const opened = await Promise.allSettled(Array.from({ length: 8 }, (_, partition) => open(api, partition)));
  const refusals = opened.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
  expect([...streams.values()].sort()).toEqual([2, 4]);
  expect(refusals).toHaveLength(2);
  for (const error of refusals) {
    expect(error).toMatchObject({ code: "RESOURCE_LIMIT_EXCEEDED", expected: 2, actual: 3 });
    expect(error.message).toContain("you have 2 connections already");
  }
});

test("a client that has moved on gets no further stream, and no connection stays open", async () => {
  const greeted: { client: grpc.Client; answer(limits: object): void }[] = [];
  const greet = (client: grpc.Client) => new Promise<object>((answer) => greeted.push({ client, answer }));
  const connections = new Connections("127.0.0.1:1", true, grpc.credentials.createInsecure(), greet);
  const refused = expect(connections.streamPlace()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  greeted[0]!.answer({ maxStreamsPerConnection: 1 }); // the first connection is for short calls
  await expect.poll(() => greeted.length).toBe(2);
  connections.close();
  greeted[1]!.answer({});
  await refused;
  await expect(connections.streamPlace()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(greeted[1]!.client.getChannel().getConnectivityState(false)).toBe(grpc.connectivityState.SHUTDOWN);
});

test("a stream that nobody answers fails in time", async () => {
  const { address } = await startHttp(() => {});
  const api = new GrpcLogApi(address, { timeoutMs: 200 });
  onTestFinished(() => api.close());
  await expect(open(api, 0)).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("the more streams there are, the less each is sent ahead", () => {
  for (const streams of [1, 16, 128, 1_000, 10_000]) {
    expect(streams * streamWindowBytes(streams)).toBeLessThanOrEqual(161 * 2 ** 20);
  }
});

/** An HTTP/2 server that is not a LogStore server. */
async function startHttp(answer: (stream: ServerHttp2Stream) => void) {
  const server: Http2Server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    answer(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const page =
  "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>";

test.each([
  ["a page with status 503", 503, "text/html", page, "UNAVAILABLE", "503"],
  ["a page with status 200", 200, "text/html", page, "UNAVAILABLE", "text/html"],
  ["a page that begins with a length within the limits", 200, "text/html", `<\0\0\0\x01${page}`, "UNAVAILABLE", "html"],
  ["a short page", 502, "text/plain", "no", "UNAVAILABLE", "502"],
  ["a status without a body", 404, undefined, "", "UNAVAILABLE", "404"],
  ["a status that asks for credentials", 401, "text/html", page, "UNAVAILABLE", "401"],
  ["a request that is too long for a proxy", 413, "text/html", page, "BATCH_TOO_LARGE", "client_max_body_size"],
  ["the same, without a body", 413, undefined, "", "BATCH_TOO_LARGE", "client_max_body_size"],
])("%s is no answer of the server", async (_name, status, type, body, code, told) => {
  const { address } = await startHttp((stream) => {
    stream.respond({ ":status": status, ...(type && { "content-type": type }) }, { endStream: body === "" });
    if (body !== "") stream.end(body);
  });
  const api = new GrpcLogApi(address, { timeoutMs: 300 });
  onTestFinished(() => api.close());
  const expected = expect.objectContaining({ code, message: expect.stringContaining(told) });
  await expect(api.listTopics()).rejects.toEqual(expected);
  await expect(open(api, 0)).rejects.toEqual(expected);
  await expect(api.produce({ topic: "t", partition: 0, batches: new Uint8Array(100) })).rejects.toEqual(expected);
});
