/** Traces from the send of a record to its receipt, and none without an SDK. */
import { RecordBatch, RecordBatchBuilder } from "@logstore/codec";
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { expect, onTestFinished, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { type ConsumerRecord, connect, traceContextOf } from "../index.js";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** Registers an SDK for the test. Returns the finished spans by name. */
function traced(sampler?: Sampler) {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors, ...(sampler && { sampler }) }));
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  onTestFinished(() => {
    for (const each of [trace, propagation, context]) each.disable();
  });
  return (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);
}

async function topic() {
  const api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: 1 });
  return { api, client: connect(api) };
}

async function received(client: ReturnType<typeof connect>): Promise<ConsumerRecord[]> {
  const records: ConsumerRecord[] = [];
  for await (const record of client.reader({ assign: { t: [0] }, until: "latest" })) records.push(record);
  return records;
}

const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan | undefined) => span?.spanContext().spanId;

test("a record carries the trace that it was sent in, and its batch is received in it", async () => {
  const spans = traced();
  const { client } = await topic();
  const application = trace.getTracer("test").startSpan("application");
  const send = () => client.producer("t").send({ value: "a", headers: [{ name: "own", value: "header" }] });
  const ack = await context.with(trace.setSpan(ROOT_CONTEXT, application), send);
  const [record] = await received(client);
  application.end();
  const [sent] = spans("send t");
  const [receive] = spans("receive t");
  expect(sent).toMatchObject({
    kind: SpanKind.PRODUCER,
    attributes: {
      "messaging.system.name": "logstore",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": "t",
      "messaging.destination.partition.id": "0",
      "logstore.offset": ack.offset,
      "logstore.durability": "flushed",
    },
  });
  expect(receive).toMatchObject({
    kind: SpanKind.CONSUMER,
    attributes: { "messaging.operation.type": "receive", "messaging.batch.message_count": 1, "logstore.offset": 0 },
  });
  expect([parentOf(sent), parentOf(receive)]).toEqual([idOf(application as never), idOf(sent)]);
  expect(receive!.spanContext().traceId).toBe(application.spanContext().traceId);
  expect(trace.getSpanContext(traceContextOf(record!))).toMatchObject({ spanId: idOf(sent) });
  expect(record!.headers.map(({ name, value }) => [name, text(value)])).toEqual([
    ["own", "header"],
    ["traceparent", expect.stringContaining(idOf(sent)!)],
  ]);
});

test("sends of several traces are linked to, each once", async () => {
  const spans = traced();
  const { client } = await topic();
  const producer = client.producer("t");
  await Promise.all([producer.send({ value: "a" }), producer.send({ value: "b" })]);
  await producer.sendMany([{ value: "c" }, { value: "d" }]);
  await received(client);
  const [a, b, many] = spans("send t");
  expect(many!.attributes).toMatchObject({ "messaging.batch.message_count": 2 });
  const [first, second] = spans("receive t");
  expect(first!.links.map(({ context }) => context.spanId)).toEqual([idOf(a), idOf(b)]);
  expect(first!.parentSpanContext).toBeUndefined();
  expect(second!.links.map(({ context }) => context.spanId)).toEqual([idOf(many)]);
  expect(parentOf(second)).toBe(idOf(many));
});

test("records from an async source are traced, and one that is sent on belongs to its new trace", async () => {
  const spans = traced();
  const { client } = await topic();
  await client.producer("t").send({ value: "a" });
  const [{ value, headers }] = (await received(client)) as [ConsumerRecord];
  async function* source() {
    yield { value, headers };
  }
  await client.producer("t").sendMany(source());
  const [, on] = await received(client);
  expect(on!.headers.map(({ name }) => name)).toEqual(["traceparent"]);
  expect(trace.getSpanContext(traceContextOf(on!))?.spanId).toBe(idOf(spans("send t")[1]));
});

test("what cannot be sent ends its span with an error", async () => {
  const spans = traced();
  const { client } = await topic();
  await expect(client.producer("nothing").send({ value: "a" })).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
  const [span] = spans("send nothing");
  expect(span).toMatchObject({ attributes: { "error.type": "UNKNOWN_TOPIC" }, status: { code: SpanStatusCode.ERROR } });
});

test("a trace that is not kept is not stored with the records", async () => {
  const spans = traced(new AlwaysOffSampler());
  const { client } = await topic();
  const producer = client.producer("t");
  await producer.send({ value: "a" });
  await producer.sendMany([{ value: "b" }]);
  expect((await received(client)).map(({ headers }) => headers)).toEqual([[], []]);
  expect(spans("receive t")).toEqual([]);
});

test("only what is delivered of a batch is told of, and a batch that is not in order is told of by its reader", async () => {
  const spans = traced();
  const { api, client } = await topic();
  const producer = client.producer("t");
  await Promise.all([1, 2, 3].map((value) => producer.send({ value: String(value) })));
  for await (const _ of client.reader({ assign: { t: [0] }, from: 1, until: 2 }));
  expect(spans("receive t")).toMatchObject([
    { attributes: { "messaging.batch.message_count": 1, "logstore.offset": 1 } },
  ]);
  expect(api.produced).toHaveLength(1);
});

test("without an SDK nothing is put into headers, and nothing is looked for", async () => {
  const { api, client } = await topic();
  await client.producer("t").send({ value: "a" });
  const builder = new RecordBatchBuilder();
  builder.append(null, "v", 0);
  const plain = RecordBatch.parse(builder.seal()).byteLength;
  expect(api.produced[0]!.batches).toHaveLength(plain);
  const [record] = await received(client);
  expect(traceContextOf(record!)).toBe(ROOT_CONTEXT);
});
