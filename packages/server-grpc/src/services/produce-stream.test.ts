import type { ProduceAck, ProduceRequest } from "@logstore/protocol";
import { expect, test } from "vitest";
import { sealed } from "../../test/fake-log.js";
import { collect, detailOf, type Message } from "../../test/foreign-client.js";
import { anotherClient, eventually, home, settled } from "../../test/home.js";
import { MAX_UNACKED_BYTES, MAX_UNACKED_REQUESTS, RECEIVE_TURN_BYTES } from "../transport/limits.js";

const UNAVAILABLE = 14;

/** A `produce` whose results are held until they are released, one by one and in any order. */
function heldProduce() {
  const held: { request: ProduceRequest; ack: () => void }[] = [];
  let next = 0;
  const produce = (request: ProduceRequest) => {
    const baseOffset = next++;
    const ack = { baseOffset, nextOffset: next, durability: "flushed", duplicate: false, logEndOffset: next } as const;
    return new Promise<ProduceAck>((resolve) => held.push({ request, ack: () => resolve(ack) }));
  };
  return { held, produce };
}

const baseOffsets = (messages: Message[]) => messages.map(({ ack }) => ack.baseOffset);

test("acks are in the order of the requests, whatever the order of the appends, and all precede the end", async () => {
  const { held, produce } = heldProduce();
  const { client } = await home({ api: { produce } });
  const stream = client.produceStream();
  const answers = collect(stream);
  for (let i = 0; i < 20; i++) stream.write({ topic: "t", partition: 0, batches: sealed(`${i}`) });
  stream.end();
  await eventually(() => held.length === 20);
  for (const { ack } of held.reverse()) {
    ack();
    await new Promise(setImmediate);
  }
  const { messages, error } = await answers;
  expect(error).toBeUndefined();
  expect(baseOffsets(messages)).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test("a refused request gets its response in order, and the stream continues", async () => {
  const { client } = await home();
  const stream = client.produceStream();
  const answers = collect(stream);
  stream.write({ topic: "t", partition: 0, batches: sealed("a") });
  stream.write({ topic: "nowhere", partition: 0, batches: sealed("b") });
  stream.write({ topic: "t", partition: 0, batches: Buffer.from("not a batch at all") });
  stream.write(Buffer.from("7a05ff", "hex"));
  stream.write({ topic: "t", partition: 0, batches: sealed("c"), expectedOffset: 0 });
  stream.write({ topic: "t", partition: 0, batches: sealed("d"), expectedOffset: 1, durability: 1 });
  stream.end();
  const { messages, error } = await answers;
  expect(error).toBeUndefined();
  expect(messages.map(({ result, error }) => (result === "ack" ? "ack" : error.code))).toEqual([
    "ack",
    "UNKNOWN_TOPIC",
    "TRUNCATED_BATCH",
    "INVALID_ARGUMENT",
    "WRONG_EXPECTED_OFFSET",
    "ack",
  ]);
  expect(messages[1].error.topic).toBe("nowhere");
  expect(messages[4].error).toMatchObject({ expected: 0, actual: 1 });
  expect(messages[5].ack).toEqual({ baseOffset: 1, nextOffset: 2, durability: 1, duplicate: false, logEndOffset: 2 });
});

test("the log may free the buffer of a request, unless other messages share it", async () => {
  const { held, produce } = heldProduce();
  const { client } = await home({ api: { produce } });
  const stream = client.produceStream();
  const answers = collect(stream);
  const values = ["x".repeat(100_000), "short", "y".repeat(100_000)];
  for (const value of values) stream.write({ topic: "t", partition: 0, batches: sealed(value) });
  stream.end();
  await eventually(() => held.length === values.length);
  const isAlone = ({ batches }: ProduceRequest) => batches.buffer.byteLength < batches.length + 100;
  for (const { request, ack } of held) {
    expect(request.isOwned).toBe(isAlone(request));
    ack();
  }
  expect(held.map(({ request }) => request.isOwned)).toEqual([true, false, true]);
  expect((await answers).error).toBeUndefined();
});

test("the number of requests in flight is limited", async () => {
  const { held, produce } = heldProduce();
  const { client } = await home({ api: { produce } });
  const stream = client.produceStream();
  const answers = collect(stream);
  const count = MAX_UNACKED_REQUESTS * 3;
  for (let i = 0; i < count; i++) stream.write({ topic: "t", partition: 0, batches: sealed("x".repeat(40_000)) });
  stream.end();
  // Each is larger than what HTTP/2 delivers at once, so that the limit is exact.
  expect(await settled(() => held.length)).toBe(MAX_UNACKED_REQUESTS);
  for (let i = 0; i < count; i++) {
    await eventually(() => held.length > i);
    held[i]?.ack();
  }
  expect(baseOffsets((await answers).messages)).toEqual(Array.from({ length: count }, (_, i) => i));
});

test("the bytes in flight are limited", async () => {
  const { held, produce } = heldProduce();
  const { client } = await home({ api: { produce } });
  const stream = client.produceStream();
  const answers = collect(stream);
  const batches = sealed("x".repeat(3_000_000));
  for (let i = 0; i < 20; i++) stream.write({ topic: "t", partition: 0, batches });
  stream.end();
  expect(await settled(() => held.length)).toBe(Math.ceil(MAX_UNACKED_BYTES / batches.length));
  for (let i = 0; i < 20; i++) {
    await eventually(() => held.length > i);
    held[i]?.ack();
  }
  expect((await answers).messages).toHaveLength(20);
});

test("many streams share one limit on bytes in flight, and all are answered", async () => {
  const { held, produce } = heldProduce();
  const receiveBudgetBytes = 1_000_000;
  const { client } = await home({ api: { produce }, receiveBudgetBytes });
  const batches = sealed("x".repeat(100_000));
  const streams = Array.from({ length: 8 }, () => client.produceStream());
  const answers = streams.map((stream) => collect(stream));
  for (let i = 0; i < 10; i++) for (const stream of streams) stream.write({ topic: "t", partition: 0, batches });
  for (const stream of streams) stream.end();
  // Each stream may have been about to read one more when the others filled the budget.
  const atOnce = await settled(() => held.length);
  expect(atOnce).toBeGreaterThanOrEqual(10);
  expect(atOnce).toBeLessThanOrEqual(10 + streams.length);
  for (let i = 0; i < 80; i++) {
    await eventually(() => held.length > i);
    held[i]?.ack();
  }
  expect((await Promise.all(answers)).map(({ messages }) => messages.length)).toEqual(Array(8).fill(10));
});

test("the requests of a disconnected client free their budget when they are done", async () => {
  const { held, produce } = heldProduce();
  const here = await home({ api: { produce }, receiveBudgetBytes: 100_000 });
  const gone = here.client.produceStream();
  gone.on("error", () => {});
  gone.write({ topic: "t", partition: 0, batches: sealed("x".repeat(100_000)) });
  await eventually(() => held.length === 1);
  gone.cancel();
  const next = anotherClient(here).produceStream();
  const answers = collect(next);
  next.write({ topic: "t", partition: 0, batches: sealed("a") });
  next.end();
  await settled(() => held.length);
  expect(held).toHaveLength(1);
  held[0]?.ack();
  await eventually(() => held.length === 2);
  held[1]?.ack();
  expect((await answers).messages).toHaveLength(1);
});

test("a client that disconnects while appends are in flight has no effect on others", async () => {
  const { held, produce } = heldProduce();
  const { client, server } = await home({ api: { produce } });
  const stream = client.produceStream();
  const answers = collect(stream);
  stream.write({ topic: "t", partition: 0, batches: sealed("a") });
  await eventually(() => held.length === 1);
  stream.cancel();
  await answers;
  held[0]?.ack();
  expect((await client.call("ListTopics", {})).topics).toHaveLength(1);
  await server.stop();
});

test("a stop acknowledges what was received, then ends the stream with UNAVAILABLE", async () => {
  const { held, produce } = heldProduce();
  const { client, server } = await home({ api: { produce } });
  const stream = client.produceStream();
  const answers = collect(stream);
  for (let i = 0; i < 3; i++) stream.write({ topic: "t", partition: 0, batches: sealed(`${i}`) });
  await eventually(() => held.length === 3);
  const stopped = server.stop();
  await expect(client.call("ListTopics", {})).rejects.toMatchObject({ code: UNAVAILABLE });
  for (const { ack } of held) ack();
  const { messages, error } = await answers;
  expect(baseOffsets(messages)).toEqual([0, 1, 2]);
  expect(error?.code).toBe(UNAVAILABLE);
  expect(error && detailOf(error).code).toBe("UNAVAILABLE");
  await stopped;
  await expect(client.call("ListTopics", {})).rejects.toMatchObject({ code: UNAVAILABLE });
});

test("however much one connection has sent ahead, a turn of the event loop processes a limited part of it", async () => {
  const { held, produce } = heldProduce();
  let inThisTurn = 0;
  let most = 0;
  const counted = (request: ProduceRequest) => {
    if (inThisTurn === 0) setImmediate(() => (inThisTurn = 0));
    inThisTurn += request.batches.length;
    most = Math.max(most, inThisTurn);
    return produce(request);
  };
  const { client } = await home({ api: { produce: counted } });
  const stream = client.produceStream();
  const answers = collect(stream);
  const batches = sealed("x".repeat(64 * 1024));
  const count = 400;
  for (let i = 0; i < count; i++) stream.write({ topic: "t", partition: 0, batches });
  stream.end();
  // The limit on unacknowledged bytes has been received, and the rest of what was sent ahead waits
  // to be read.
  const received = await settled(() => held.length);
  expect(received).toBeLessThan(count);
  most = 0;
  for (const { ack } of held) ack();
  await eventually(() => held.length === count);
  for (const { ack } of held.slice(received)) ack();
  expect((await answers).messages).toHaveLength(count);
  expect(most).toBeGreaterThan(0);
  // A request that starts within the limit may exceed it, and a turn measured here may overlap two
  // turns of the shares.
  expect(most).toBeLessThanOrEqual(2 * (RECEIVE_TURN_BYTES + batches.length));
});
