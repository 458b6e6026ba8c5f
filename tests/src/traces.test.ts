/** One trace from the sending of a record through its append to its delivery, across processes. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { connect } from "@logstore/client";
import { context, propagation, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterEach, beforeEach, expect, test } from "vitest";
import { homes, removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

let exporter: InMemorySpanExporter;

beforeEach(() => {
  exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(() => {
  for (const each of [trace, propagation, context]) each.disable();
});

function span(name: string): ReadableSpan {
  const found = exporter.getFinishedSpans().filter((span) => span.name === name);
  expect(found).toHaveLength(1);
  return found[0]!;
}

async function sendAndReceive(client: ReturnType<typeof connect>, compression: "none" | "zstd"): Promise<void> {
  await client.createTopic("t", { partitions: 1 });
  await client.producer("t", { compression }).send({ key: "k", value: "v".repeat(100) });
  for await (const record of client.reader({ assign: { t: [0] }, until: "latest" })) expect(record.offset).toBe(0);
}

test.each(["none", "zstd"] as const)("send, append and receive are one trace, compression %s", async (compression) => {
  const home = await homes["gRPC"]!();
  try {
    await sendAndReceive(home.client, compression);
  } finally {
    await home.close();
  }
  const [send, append, receive] = [span("send t"), span("append t"), span("receive t")];
  const { traceId, spanId } = send.spanContext();
  for (const part of [append, receive]) {
    expect(part.spanContext().traceId).toBe(traceId);
    expect(part.parentSpanContext?.spanId).toBe(spanId);
  }
  expect(append.attributes).toMatchObject({
    "messaging.destination.name": "t",
    "messaging.destination.partition.id": "0",
    "messaging.batch.message_count": 1,
    "logstore.offset": 0,
    "logstore.durability": "flushed",
    "logstore.duplicate": false,
  });
  expect(append.attributes["logstore.bytes"]).toBeGreaterThan(64);
});

test("a refused append ends its span with the error", async () => {
  const home = await homes["gRPC"]!();
  try {
    await home.client.createTopic("t", { partitions: 1 });
    const producer = home.client.producer("t");
    await producer.send({ value: "v" });
    await home.client.alterTopicConfig("t", { maxBatchBytes: 200 }); // the producer learns of it when an append is refused
    exporter.reset();
    await expect(producer.send({ value: "v".repeat(300) })).rejects.toMatchObject({ code: "BATCH_TOO_LARGE" });
  } finally {
    await home.close();
  }
  expect(span("append t").attributes["error.type"]).toBe("BATCH_TOO_LARGE");
});

test("a server process exports its part of the trace to the configured endpoint", async () => {
  const bodies: string[] = [];
  const collector = createServer(async (request, response) => {
    bodies.push(await text(request));
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
  const directory = await temporaryDirectory();
  try {
    const server = await ServerProcess.start(directory, { args: ["--tracing-otlp-url", url] });
    const client = connect(server.address);
    await sendAndReceive(client, "none");
    await client.close();
    expect(await server.stop()).toBe(0);
  } finally {
    collector.close();
    await removeDirectory(directory);
  }
  const sent = bodies.flatMap((body) =>
    // biome-ignore lint/suspicious/noExplicitAny: what OTLP says, which no type here knows
    JSON.parse(body).resourceSpans.flatMap(({ scopeSpans }: any) => scopeSpans.flatMap(({ spans }: any) => spans)),
  );
  const { traceId, spanId } = span("send t").spanContext();
  expect(sent).toEqual([expect.objectContaining({ name: "append t", traceId, parentSpanId: spanId })]);
});
