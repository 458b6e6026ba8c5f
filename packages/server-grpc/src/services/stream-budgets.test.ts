/** The budget shared by all streams, and the treatment of streams whose peers stall. */
import type { ConsumeEvent, ConsumeOptions, ConsumeRequest, FetchOptions, FetchResult } from "@logstore/protocol";
import { expect, test } from "vitest";
import { sealed, valuesOf } from "../../test/fake-log.js";
import { collect, type ForeignClient, failure, type Message } from "../../test/foreign-client.js";
import { anotherClient, eventually, type Home, home, settled } from "../../test/home.js";

const CANCELLED = 1;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;
const MESSAGE_BYTES = 200_000;
const LONG_MS = 1_000_000;

async function fill({ api }: Home, messages: number, partition = 0): Promise<void> {
  for (let i = 0; i < messages; i++) {
    await api.produce({ topic: "t", partition, batches: sealed("x".repeat(MESSAGE_BYTES)) });
  }
}

/** Reads one message and then stops. */
async function stalledReader(client: ForeignClient, partition = 0) {
  const stream = client.consume({ topic: "t", partition });
  const iterator = stream[Symbol.asyncIterator]();
  await iterator.next();
  return { stream, rest: () => collect({ [Symbol.asyncIterator]: () => iterator }) };
}

test("fifty stalled readers stay within the budget together, and others proceed", async () => {
  const sendBudgetBytes = 2_000_000;
  let handedOut = 0;
  let most = 0;
  const here = await home({ sendBudgetBytes, stalledStreamTimeoutMs: LONG_MS });
  const { api, client } = here;
  const consume = api.consume.bind(api);
  api.consume = async function* (request: ConsumeRequest, options: ConsumeOptions = {}): AsyncGenerator<ConsumeEvent> {
    // Batches are free again when the next ones are requested, or the reader has ended.
    let held = 0;
    try {
      for await (const event of consume(request, options)) {
        held = event.type === "batches" ? event.batches.length : 0;
        handedOut += held;
        most = Math.max(most, handedOut);
        yield event;
        handedOut -= held;
        held = 0;
      }
    } finally {
      handedOut -= held;
    }
  };
  await fill(here, 30);
  await api.produce({ topic: "t", partition: 1, batches: sealed("small") });
  const stalled = Array.from({ length: 50 }, () => {
    const stream = client.consume({ topic: "t" });
    stream.on("error", () => {});
    void stream[Symbol.asyncIterator]()
      .next()
      .catch(() => {}); // the first message, if it arrives
    return stream;
  });
  await eventually(() => handedOut > sendBudgetBytes - 2 * MESSAGE_BYTES);
  const one = anotherClient(here).consume({ topic: "t", partition: 1, until: { edge: 2 } });
  const { messages } = await collect(one);
  expect(valuesOf(messages[0].batches)).toEqual(["small"]);
  expect(most).toBeLessThanOrEqual(sendBudgetBytes);
  for (const stream of stalled) stream.cancel();
  await eventually(() => api.consumers.every(({ ended }) => ended));
});

test("a reader that accepts nothing for too long is reset, and one that reads continues", async () => {
  const here = await home({ stalledStreamTimeoutMs: 500 }); // the reader that reads may be late, too
  const { api, client } = here;
  await fill(here, 40);
  const stalled = await stalledReader(client);
  const reading = anotherClient(here).consume({ topic: "t" });
  let read = 0;
  reading.on("data", ({ event }: Message) => {
    if (event === "batches") read++;
  });
  reading.on("error", () => {});
  await eventually(() => api.consumers[0]!.ended);
  expect((await stalled.rest()).error?.code).toBe(RESOURCE_EXHAUSTED);
  await eventually(() => read === 40);
  await fill(here, 1);
  await eventually(() => read === 41);
  expect(api.consumers[1]?.ended).toBe(false);
  reading.cancel();
});

test("an idle reader does not count as stalled", async () => {
  const here = await home({ stalledStreamTimeoutMs: 200 });
  const { api, client } = here;
  const events = client.consume({ topic: "t" })[Symbol.asyncIterator]();
  await events.next(); // caught up
  await fill(here, 40, 1);
  const stalled = await stalledReader(anotherClient(here), 1);
  await eventually(() => api.consumers[1]?.ended === true);
  expect((await stalled.rest()).error?.code).toBe(RESOURCE_EXHAUSTED);
  await api.produce({ topic: "t", partition: 0, batches: sealed("a") });
  let message: Message;
  do message = (await events.next()).value;
  while (message.event === "caughtUp");
  expect(valuesOf(message.batches)).toEqual(["a"]);
});

test.each([
  ["cancelled", CANCELLED],
  ["cut off because others wait", RESOURCE_EXHAUSTED],
])("what a reader held is there for the next one when it is %s", async (_, code) => {
  const here = await home({ sendBudgetBytes: 1.5 * MESSAGE_BYTES, stalledStreamTimeoutMs: LONG_MS });
  const { api, client } = here;
  await fill(here, 30);
  await api.produce({ topic: "t", partition: 1, batches: sealed("x".repeat(MESSAGE_BYTES)) });
  const stalled = await stalledReader(client);
  await settled(() => api.consumers[0]!.given);
  if (code === CANCELLED) stalled.stream.cancel();
  const next = anotherClient(here).consume({ topic: "t", partition: 1, until: { edge: 2 } });
  const { messages } = await collect(next);
  expect(messages[0].batches.length).toBeGreaterThan(MESSAGE_BYTES);
  expect((await stalled.rest()).error?.code).toBe(code);
});

test("a message is released when it has been sent, and not before", async () => {
  const here = await home({ stalledStreamTimeoutMs: LONG_MS });
  const { api, client } = here;
  let released = 0;
  const consume = api.consume.bind(api);
  api.consume = async function* (request: ConsumeRequest, options: ConsumeOptions = {}) {
    for await (const event of consume(request, options)) {
      if (event.type !== "batches") yield event;
      else {
        const release = () => {
          released++;
          event.batches.fill(0xee); // if the memory were reused, what is sent later would be different
          event.release?.();
        };
        yield { ...event, release };
      }
    }
  };
  await fill(here, 60);
  const stream = client.consume({ topic: "t", until: { edge: 2 } });
  const iterator = stream[Symbol.asyncIterator]();
  const first = (await iterator.next()).value;
  await settled(() => api.consumers[0]!.given);
  expect(released).toBe(api.consumers[0]!.given - 1); // the last one waits for its reader
  const { messages } = await collect({ [Symbol.asyncIterator]: () => iterator });
  const values = [first, ...messages].flatMap(({ batches }) => valuesOf(batches));
  expect(values).toEqual(Array(60).fill("x".repeat(MESSAGE_BYTES)));
  expect(released).toBe(60);
});

test("the memory of a cancelled reader is returned when the log no longer reads for it", async () => {
  const sendBudgetBytes = 100_000;
  const here = await home({ sendBudgetBytes, stalledStreamTimeoutMs: LONG_MS });
  const { api, client } = here;
  const { promise: read, resolve: finishRead } = Promise.withResolvers<void>();
  const [taken, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const consume = api.consume.bind(api);
  api.consume = async function* (request: ConsumeRequest, options: ConsumeOptions = {}) {
    if (request.partition === 0) {
      await options.budget?.take(sendBudgetBytes, sendBudgetBytes);
      options.signal?.addEventListener("abort", () => ended.resolve());
      taken.resolve();
      await read; // a slow disk
    } else yield* consume(request, options);
  };
  await api.produce({ topic: "t", partition: 1, batches: sealed("a") });
  const cancelled = client.consume({ topic: "t" });
  cancelled.on("error", () => {});
  await taken.promise;
  cancelled.cancel();
  await ended.promise;
  let isRead = false;
  const next = collect(anotherClient(here).consume({ topic: "t", partition: 1, until: { edge: 2 } }));
  void next.then(() => {
    isRead = true;
  });
  await settled(() => api.consumers[0]?.given ?? 0);
  expect(isRead).toBe(false);
  finishRead();
  expect(valuesOf((await next).messages[0].batches)).toEqual(["a"]);
});

test("what was read for an ended call is released without being sent", async () => {
  const here = await home();
  const waiting = Promise.withResolvers<void>();
  let released = 0;
  here.api.consume = async function* (_: ConsumeRequest, { signal }: ConsumeOptions = {}) {
    const aborted = new Promise((resolve) => signal?.addEventListener("abort", resolve));
    waiting.resolve();
    await aborted;
    const release = () => void released++;
    yield { type: "batches", batches: sealed("late"), headroomBytes: 0, release, highWatermark: 1, logEndOffset: 1 };
  };
  const stream = here.client.consume({ topic: "t" });
  stream.on("error", () => {});
  await waiting.promise;
  stream.cancel();
  await eventually(() => released === 1);
});

test("a fetch that waits for room ends when the server stops", async () => {
  const sendBudgetBytes = 1.5 * MESSAGE_BYTES;
  const asked = Promise.withResolvers<void>();
  const fetch = async (_: unknown, { budget }: FetchOptions = {}): Promise<FetchResult> => {
    asked.resolve();
    await budget!.take(MESSAGE_BYTES, MESSAGE_BYTES);
    throw new Error("there was no room");
  };
  const here = await home({
    api: { fetch },
    sendBudgetBytes,
    stalledStreamTimeoutMs: LONG_MS,
    drainTimeoutMs: LONG_MS,
  });
  await fill(here, 30);
  const stalled = await stalledReader(here.client);
  await settled(() => here.api.consumers[0]!.given);
  const fetching = failure(anotherClient(here).call("Fetch", { topic: "t", partition: 0 }));
  await asked.promise; // a second later, the stalled reader would be cut off
  const stopped = here.server.stop();
  expect((await fetching).code).toBe(UNAVAILABLE);
  stalled.stream.cancel();
  await stopped;
});

test("the memory of a failed read is available to the next one", async () => {
  const here = await home({ sendBudgetBytes: 100_000, stalledStreamTimeoutMs: LONG_MS, onError: () => {} });
  const { api, client } = here;
  const consume = api.consume.bind(api);
  api.consume = async function* (request: ConsumeRequest, options: ConsumeOptions = {}) {
    await options.budget?.take(90_000, 90_000);
    if (request.partition === 0) throw new RangeError("a defect");
    yield* consume(request, { ...options, budget: undefined });
  };
  await api.produce({ topic: "t", partition: 1, batches: sealed("a") });
  await failure(collect(client.consume({ topic: "t" })).then(({ error }) => Promise.reject(error)));
  const { messages } = await collect(client.consume({ topic: "t", partition: 1, until: { edge: 2 } }));
  expect(valuesOf(messages[0].batches)).toEqual(["a"]);
});

test("a stop ends those that wait for the budget", async () => {
  const sendBudgetBytes = 1.5 * MESSAGE_BYTES;
  const here = await home({ sendBudgetBytes, stalledStreamTimeoutMs: LONG_MS, drainTimeoutMs: 100 });
  const { api, client, server } = here;
  await fill(here, 30);
  const stalled = await stalledReader(client);
  await settled(() => api.consumers[0]!.given);
  const waiting = collect(anotherClient(here).consume({ topic: "t" }));
  await eventually(() => api.consumers.length === 2);
  await server.stop();
  expect((await waiting).error?.code).toBe(UNAVAILABLE);
  stalled.stream.cancel();
});

test("fetches share the budget, and one that waits for more returns what it has when others wait", async () => {
  let held = 0;
  let most = 0;
  const fetch = async (request: { minBytes?: number | undefined }, { signal, budget }: FetchOptions = {}) => {
    const bytes = await budget!.take(MESSAGE_BYTES, MESSAGE_BYTES);
    held += bytes;
    most = Math.max(most, held);
    if (request.minBytes === MESSAGE_BYTES + 1) {
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    }
    held -= bytes;
    const ends = { nextOffset: 1, logStartOffset: 0, highWatermark: 1, logEndOffset: 1 };
    return { batches: Buffer.alloc(bytes), headroomBytes: 0, ...ends } satisfies FetchResult;
  };
  const { client } = await home({ api: { fetch }, sendBudgetBytes: 2.5 * MESSAGE_BYTES });
  const request = { topic: "t", partition: 0, maxWaitMs: 60_000 };
  const waiting = [1, 2].map(() => client.call("Fetch", { ...request, minBytes: MESSAGE_BYTES + 1 }));
  await eventually(() => held === 2 * MESSAGE_BYTES);
  const others = await Promise.all(Array.from({ length: 10 }, () => client.call("Fetch", request)));
  expect(others.map(({ batches }) => batches.length)).toEqual(Array(10).fill(MESSAGE_BYTES));
  expect((await Promise.all(waiting)).map(({ batches }) => batches.length)).toEqual(Array(2).fill(MESSAGE_BYTES));
  expect(most).toBeLessThanOrEqual(2.5 * MESSAGE_BYTES);
});
