import { InternalError } from "@logstore/codec";
import { CONSUME_HEADROOM_BYTES, type ConsumeEvent, type ConsumeRequest } from "@logstore/protocol";
import { expect, test } from "vitest";
import { sealed, valuesOf } from "../../test/fake-log.js";
import { collect, detailOf, type Message } from "../../test/foreign-client.js";
import { eventually, type Home, home, settled } from "../../test/home.js";

const INVALID_ARGUMENT = 3;
const OUT_OF_RANGE = 11;
const INTERNAL = 13;
const UNAVAILABLE = 14;

test("a partition is read from a start to an end, and without end", async () => {
  const { client, api } = await home();
  for (const value of ["a", "b", "c"]) await api.produce({ topic: "t", partition: 1, batches: sealed(value, value) });
  const read = async (request: Message) => {
    const { messages, error } = await collect(client.consume({ topic: "t", partition: 1, ...request }));
    if (error) throw error;
    return messages.flatMap(({ event, batches }) => (event === "batches" ? valuesOf(batches) : [event]));
  };
  expect(await read({ until: { edge: 2 } })).toEqual(["a", "a", "b", "b", "c", "c"]);
  expect(await read({ from: { offset: 3 }, until: { offset: 4 } })).toEqual(["b", "b"]);
  expect(await read({ from: { edge: 1 }, until: { time: 0 } })).toEqual([]);

  const tail = client.consume({ topic: "t", partition: 1, from: { edge: 2 } });
  const events = tail[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ event: "caughtUp", highWatermark: 6, logEndOffset: 6 });
  await api.produce({ topic: "t", partition: 1, batches: sealed("d") });
  const { event, highWatermark, batches } = (await events.next()).value;
  expect([event, highWatermark, valuesOf(batches)]).toEqual(["batches", 7, ["d"]]);
  tail.cancel();
  // Headroom before the batches, so that their message is framed in place.
  expect(api.consumers.map(({ options }) => options.headroomBytes)).toEqual(Array(4).fill(CONSUME_HEADROOM_BYTES));
});

test("every kind of event arrives", async () => {
  const batches = sealed("a");
  const events: ConsumeEvent[] = [
    { type: "logStartMoved", logStartOffset: 2 ** 40, highWatermark: 2 ** 41, logEndOffset: 2 ** 42 },
    { type: "heartbeat", highWatermark: 1, logEndOffset: 1 },
    { type: "batches", batches, headroomBytes: 0, highWatermark: 2 ** 53 - 2, logEndOffset: 2 ** 53 - 1 },
    { type: "caughtUp", highWatermark: 0, logEndOffset: 0 },
  ];
  const { client } = await home({
    api: {
      async *consume() {
        yield* events;
      },
    },
  });
  expect((await collect(client.consume({ topic: "t" }))).messages).toEqual([
    {
      highWatermark: 2 ** 41,
      logEndOffset: 2 ** 42,
      event: "logStartMoved",
      logStartMoved: { logStartOffset: 2 ** 40 },
    },
    { highWatermark: 1, logEndOffset: 1, event: "heartbeat", heartbeat: {} },
    { highWatermark: 2 ** 53 - 2, logEndOffset: 2 ** 53 - 1, event: "batches", batches: Buffer.from(batches) },
    { highWatermark: 0, logEndOffset: 0, event: "caughtUp", caughtUp: {} },
  ]);
});

test("the size that the reader requests is passed on, within limits", async () => {
  const asked: (number | undefined)[] = [];
  const { client } = await home({
    api: {
      async *consume({ maxBytes }: ConsumeRequest) {
        asked.push(maxBytes);
        yield { type: "caughtUp", highWatermark: 0, logEndOffset: 0 } as const;
      },
    },
  });
  for (const maxBytes of [undefined, 0, 1, 1_000_000, 2 ** 32 - 1])
    await collect(client.consume({ topic: "t", maxBytes }));
  expect(asked).toEqual([262_144, 262_144, 1, 1_000_000, 4_194_304]);
});

test("a failed read ends the stream with its error", async () => {
  const { client } = await home();
  const past = await collect(client.consume({ topic: "t", from: { offset: 7 } }));
  expect(past.error?.code).toBe(OUT_OF_RANGE);
  expect(past.error && detailOf(past.error)).toMatchObject({ code: "OFFSET_OUT_OF_RANGE", offset: 7, expected: 0 });
  const meaningless = await collect(client.consume({ topic: "t", from: { edge: 9 } }));
  expect(meaningless.error?.code).toBe(INVALID_ARGUMENT);
});

test("what was read before an error is delivered before it", async () => {
  const { client } = await home({
    api: {
      async *consume() {
        for (let i = 0; i < 50; i++) yield { type: "heartbeat", highWatermark: i, logEndOffset: i } as const;
        throw new InternalError("lost");
      },
    },
  });
  const { messages, error } = await collect(client.consume({ topic: "t" }));
  expect(messages.map(({ highWatermark }) => highWatermark)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect([error?.code, error?.details]).toEqual([INTERNAL, "lost"]);
});

/**
 * Fills partition 0 with 100 records of 200,000 bytes and reads the first one: the client has a few
 * more in flight.
 */
async function slowReader({ api, client }: Home, until?: Message) {
  for (let i = 0; i < 100; i++) await api.produce({ topic: "t", partition: 0, batches: sealed("x".repeat(200_000)) });
  const stream = client.consume({ topic: "t", partition: 0, until });
  // A generic client that has not started to read accepts everything; only one that has stopped
  // reading exerts backpressure.
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  const given = await settled(() => api.consumers[0]?.given ?? 0);
  return { stream, given, rest: { [Symbol.asyncIterator]: () => iterator } };
}

test("a reader that stops reading stops the reading of the log, and gets everything later", async () => {
  const here = await home();
  const { stream, given, rest } = await slowReader(here, { edge: 2 });
  // One was read, some wait in the client, one may be in flight through HTTP/2's window, and one
  // waits here.
  expect(given).toBeLessThanOrEqual(1 + stream.readableLength + 2);
  const { messages, error } = await collect(rest);
  expect(error).toBeUndefined();
  expect(messages).toHaveLength(99);
});

test("a cancelled call ends the iteration, whether it waits for records or for the reader", async () => {
  const here = await home();
  const { api, client } = here;
  const waitsForReader = (await slowReader(here)).stream;
  const waitsForRecords = client.consume({ topic: "t", partition: 1 });
  for (const stream of [waitsForReader, waitsForRecords]) stream.on("error", () => {});
  waitsForRecords.resume();
  await eventually(() => api.consumers[1]?.given === 1);
  expect(api.consumers.map(({ ended }) => ended)).toEqual([false, false]);
  waitsForReader.cancel();
  waitsForRecords.cancel();
  await eventually(() => api.consumers.every(({ ended, options }) => ended && options.signal?.aborted));
});

test("a stop ends streams with UNAVAILABLE after whole messages, whether or not the reader reads", async () => {
  const here = await home();
  const { api, client, server } = here;
  const { given, rest } = await slowReader(here);
  const idle = collect(client.consume({ topic: "t", partition: 1 }));
  await eventually(() => api.consumers[1]?.given === 1);
  const stopped = server.stop();
  await eventually(() => api.consumers.every(({ ended }) => ended));
  const { messages, error } = await collect(rest);
  for (const { batches } of messages) expect(valuesOf(batches)).toHaveLength(1);
  expect(messages).toHaveLength(given - 1);
  expect(error?.code).toBe(UNAVAILABLE);
  expect((await idle).error?.code).toBe(UNAVAILABLE);
  await stopped;
});
