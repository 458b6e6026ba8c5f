import { InternalError, UnknownTopicError } from "@logstore/codec";
import { expect, test } from "vitest";
import { sealed } from "../../test/fake-log.js";
import { detailOf, ForeignClient, failure } from "../../test/foreign-client.js";
import { home } from "../../test/home.js";
import { serve } from "../server.js";

const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const INTERNAL = 13;

test("topics are created, listed and described", async () => {
  const { client } = await home();
  const created = await client.call("CreateTopic", { topic: "flights", partitions: 3 });
  expect(created.topic).toMatchObject({ topic: "flights", partitioner: "fnv1a-32" });
  await client.call("Produce", { topic: "flights", partition: 2, batches: sealed("a", "b") });
  expect(await client.call("ListTopics", {})).toMatchObject({
    topics: [
      { topic: "t", partitionCount: 2 },
      { topic: "flights", partitionCount: 3 },
    ],
  });
  const { topic } = await client.call("DescribeTopic", { topic: "flights" });
  expect(topic.partitions).toEqual([
    { partition: 0, logStartOffset: 0, highWatermark: 0, logEndOffset: 0, damage: null },
    { partition: 1, logStartOffset: 0, highWatermark: 0, logEndOffset: 0, damage: null },
    { partition: 2, logStartOffset: 0, highWatermark: 2, logEndOffset: 2, damage: null },
  ]);
  const error = await failure(client.call("CreateTopic", { topic: "flights", partitions: 1 }));
  expect(error.code).toBe(ALREADY_EXISTS);
  expect(detailOf(error)).toMatchObject({ code: "TOPIC_EXISTS", topic: "flights" });
});

test("the server reports its version and its limits", async () => {
  const { client } = await home({ maxBatchBytes: 64 * 2 ** 20, maxConnections: 12 });
  expect(await client.call("DescribeServer", {})).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    limits: expect.objectContaining({
      maxBatchBytes: 64 * 2 ** 20,
      maxMessageBytes: 64 * 2 ** 20 + 64 * 1024,
      maxStreamsPerConnection: 1_000,
      maxConnections: 12,
    }),
  });
});

test("the number of partitions of a topic is limited", async () => {
  const { client } = await home();
  const error = await failure(client.call("CreateTopic", { topic: "flights", partitions: 10_001 }));
  expect(error.code).toBe(INVALID_ARGUMENT);
  expect(detailOf(error)).toMatchObject({ code: "INVALID_ARGUMENT", expected: 10_000, actual: 10_001 });
  expect((await client.call("ListTopics", {})).topics).toHaveLength(1);
});

test("an append is acknowledged with its offsets and durability", async () => {
  const { client } = await home();
  const request = { topic: "t", partition: 1, batches: sealed("a", "b", "c") };
  expect(await client.call("Produce", request)).toEqual({
    baseOffset: 0,
    nextOffset: 3,
    durability: 2,
    duplicate: false,
    logEndOffset: 3,
  });
  const written = { ...request, durability: 1, expectedOffset: 3, batches: Buffer.concat([sealed("d"), sealed("e")]) };
  expect(await client.call("Produce", written)).toEqual({
    baseOffset: 3,
    nextOffset: 5,
    durability: 1,
    duplicate: false,
    logEndOffset: 5,
  });
});

test("offsets are found by number, edge and time", async () => {
  const { client } = await home();
  await client.call("Produce", { topic: "t", partition: 1, batches: sealed("a", "b") });
  const positions = [{ offset: 1 }, { edge: 1 }, { edge: 2 }, { time: 2_000 }, { time: 2_001 }];
  const partitions = positions.map((position) => ({ partition: 1, position }));
  const { offsets } = await client.call("ListOffsets", { topic: "t", partitions });
  expect(offsets.map(({ offset }: { offset: number }) => offset)).toEqual([1, 0, 2, 0, 2]);
  const error = await failure(client.call("ListOffsets", { topic: "t", partitions: [{ partition: 1 }] }));
  expect(error.code).toBe(INVALID_ARGUMENT);
});

test("an error has its code and fields", async () => {
  const { client } = await home();
  await client.call("Produce", { topic: "t", batches: sealed("a") });
  const error = await failure(client.call("Produce", { topic: "t", expectedOffset: 0, batches: sealed("b") }));
  expect(error.code).toBe(FAILED_PRECONDITION);
  const detail = detailOf(error);
  expect(detail).toMatchObject({ code: "WRONG_EXPECTED_OFFSET", expected: 0, actual: 1 });
  expect(detail.message).toBe(error.details);
  expect(detail).not.toHaveProperty("topic");
});

test("an unexpected error discloses nothing to the peer, and is reported to the server's owner", async () => {
  const errors: unknown[] = [];
  const cause = new Error("ENOSPC /var/lib/secret");
  const { client } = await home({
    onError: (error) => errors.push(error),
    api: { listTopics: () => Promise.reject(cause) },
  });
  const error = await failure(client.call("ListTopics", {}));
  expect(error.code).toBe(INTERNAL);
  expect(JSON.stringify([error.message, error.details, detailOf(error)])).not.toContain("secret");
  expect(detailOf(error).code).toBe("INTERNAL");
  expect(errors).toEqual([cause]);
});

test("an error with a very long quotation is truncated to fit into trailers", async () => {
  const topic = "\u{1f4a5}%\n".repeat(2_500);
  const { client } = await home({
    api: { describeTopic: async () => Promise.reject(new UnknownTopicError(topic, { topic })) },
  });
  const error = await failure(client.call("DescribeTopic", { topic }));
  expect(error.code).toBe(NOT_FOUND);
  expect(encodeURI(error.details).length).toBeLessThan(1024);
  expect(error.details.startsWith("\u{1f4a5}%\n\u{1f4a5}%\n")).toBe(true);
  expect(topic.startsWith(detailOf(error).topic.slice(0, -1))).toBe(true);
});

test("an error that is thrown synchronously is answered, too", async () => {
  const { client } = await home({
    api: {
      listTopics: () => {
        throw new InternalError("at once");
      },
    },
  });
  expect((await failure(client.call("ListTopics", {}))).details).toBe("at once");
});

test("a request that is not protobuf is an invalid argument, in every unary method", async () => {
  const { client } = await home();
  for (const method of ["Produce", "ListOffsets", "CreateTopic", "ListTopics", "DescribeTopic"]) {
    const error = await failure(client.call(method, Buffer.from("7a05ff", "hex")));
    expect([method, error.code, detailOf(error).code]).toEqual([method, INVALID_ARGUMENT, "INVALID_ARGUMENT"]);
  }
  expect((await client.call("ListTopics", {})).topics).toHaveLength(1);
});

test("a message that is too large is refused, and others are served", async () => {
  const { client } = await home({ maxBatchBytes: 100_000 });
  const request = { topic: "t", partition: 0, batches: sealed("x".repeat(99_000)) };
  expect(await client.call("Produce", request)).toMatchObject({ nextOffset: 1 });
  const error = await failure(client.call("Produce", { ...request, batches: Buffer.alloc(200_000) }));
  expect(error.code).toBe(RESOURCE_EXHAUSTED);
  expect(await client.call("Produce", { ...request, batches: sealed("y") })).toMatchObject({ baseOffset: 1 });
});

test("two servers in one process are independent", async () => {
  const [one, two] = [await home(), await home()];
  expect(one.server.address).not.toBe(two.server.address);
  await one.client.call("CreateTopic", { topic: "only-one", partitions: 1 });
  expect((await two.client.call("ListTopics", {})).topics).toHaveLength(1);
  await one.server.stop();
  expect((await two.client.call("ListTopics", {})).topics).toHaveLength(1);
});

test("port 0 chooses a free port, and a port in use gives the system's error", async () => {
  const { api, server } = await home();
  expect(server.address).toMatch(/^127\.0\.0\.1:[1-9]\d+$/);
  const port = Number(server.address.split(":")[1]);
  await expect(serve(api, { port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("an IPv6 address is written in brackets", async (context) => {
  const { api } = await home();
  const server = await serve(api, { host: "::1", port: 0 }).catch(() => context.skip("no IPv6 here"));
  const client = new ForeignClient(server.address);
  expect(server.address).toMatch(/^\[::1\]:\d+$/);
  expect((await client.call("ListTopics", {})).topics).toHaveLength(1);
  client.close();
  await server.stop();
});

test("a request for too much at once is refused, with the limit", async () => {
  const { client } = await home();
  const ask = (count: number) =>
    client.call("ListOffsets", {
      topic: "t",
      partitions: new Array(count).fill({ partition: 0, position: { edge: 1 } }),
    });
  expect((await ask(10_000)).offsets).toHaveLength(10_000);
  expect(detailOf(await failure(ask(10_001)))).toMatchObject({ code: "INVALID_ARGUMENT", expected: 10_000 });
  // It is not even decoded.
  expect(detailOf(await failure(ask(400_000)))).toMatchObject({
    code: "INVALID_ARGUMENT",
    message: expect.stringContaining("too large"),
  });
});
