import { QuotaExceededError, RecordBatch, UnavailableError } from "@logstore/codec";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { flights } from "../../test/schema.js";
import { connect, type LogClient } from "../index.js";

let api: FakeLogApi;
let client: LogClient;

beforeEach(async () => {
  api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: 2 });
  client = connect(api);
});

/** Fakes the time until the end of the test. Returns a function that lets some of it pass. */
function fakeTime(): (ms: number) => Promise<unknown> {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  return (ms) => vi.advanceTimersByTimeAsync(ms);
}

test("records are appended as one batch, to be expected by the next one", async () => {
  const first = await client.append("t", 1, [{ key: "k", value: "a" }, { value: "b" }], { expectedOffset: 0 });
  expect(first).toEqual({ topic: "t", partition: 1, offset: 0, nextOffset: 2, durability: "flushed" });
  const second = await client.append("t", 1, [{ value: "c" }], {
    expectedOffset: first.nextOffset,
    durability: "written",
  });
  expect(second).toMatchObject({ offset: 2, nextOffset: 3, durability: "written" });
  expect(api.values("t", 1)).toEqual(["a", "b", "c"]);
  expect(api.produced).toHaveLength(2);
});

test("where somebody else came first nothing is appended, and the next try may succeed", async () => {
  await client.append("t", 0, [{ value: "theirs" }]);
  const refused = client.append("t", 0, [{ value: "a" }], { expectedOffset: 0 });
  await expect(refused).rejects.toMatchObject({ code: "WRONG_EXPECTED_OFFSET", expected: 0, actual: 1 });
  await client.append("t", 0, [{ value: "b" }], { expectedOffset: 1 });
  expect(api.values("t", 0)).toEqual(["theirs", "b"]);
});

test("an append whose answer is lost is not refused for what it appended itself", async () => {
  let lost = 2;
  api.onProduce = (_, append) => {
    const ack = append();
    if (lost-- > 0) throw new UnavailableError("the connection broke");
    return ack;
  };
  expect(await client.append("t", 0, [{ value: "a" }], { expectedOffset: 0 })).toMatchObject({ nextOffset: 1 });
  expect(await client.append("t", 0, [{ value: "b" }], { expectedOffset: 1 })).toMatchObject({ nextOffset: 2 });
  expect(api.values("t", 0)).toEqual(["a", "b"]);
});

test("those of a client take effect in the order in which they are made", async () => {
  let calls = 0;
  api.onProduce = async (_, append) => {
    if (calls++ % 2 === 0) throw new UnavailableError("not yet");
    return append();
  };
  await Promise.all(
    ["a", "b", "c"].map((value, expectedOffset) => client.append("t", 0, [{ value }], { expectedOffset })),
  );
  expect(api.values("t", 0)).toEqual(["a", "b", "c"]);
});

test("without an answer it is given up, and a late one is not taken for the next", async () => {
  const late: (() => void)[] = [];
  api.onProduce = (_, append) => {
    late.push(append);
    return new Promise(() => {});
  };
  const passTime = fakeTime();
  const given = client.append("t", 0, [{ value: "a" }], { deliveryTimeoutMs: 10 });
  const givenUp = expect(given).rejects.toMatchObject({ code: "DELIVERY_TIMEOUT", topic: "t", partition: 0 });
  await expect.poll(() => late.length).toBe(1);
  await passTime(10);
  await givenUp;
  api.onProduce = (_, append) => append();
  await client.append("t", 0, [{ value: "b" }]);
  expect(late[0]).toThrow(expect.objectContaining({ code: "PRODUCER_FENCED" }));
  expect(api.values("t", 0)).toEqual(["b"]);
});

test("values are validated; nothing is no append; what does not fit one batch is refused whole", async () => {
  const records = [{ value: { carrier: "UA", delay: 1 } }, { value: { carrier: "UA" } as never }];
  await expect(client.append("t", 0, records, { schema: flights })).rejects.toMatchObject({ code: "INVALID_VALUE" });
  await expect(client.append("t", 0, [])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  const value = new Uint8Array(6 * 1024 * 1024);
  const large = client.append("t", 0, [{ value }, { value }, { value }]);
  await expect(large).rejects.toMatchObject({ code: "BATCH_TOO_LARGE" });
  expect(api.produced).toHaveLength(0);
});

test("the timeout counts from the call: an append behind one that hangs is given up in time, and not sent", async () => {
  api.onProduce = () => new Promise<never>(() => {});
  const passTime = fakeTime();
  const first = client.append("t", 0, [{ value: "a" }], { deliveryTimeoutMs: 200 });
  const second = client.append("t", 0, [{ value: "b" }], { deliveryTimeoutMs: 20 });
  first.catch(() => {});
  second.catch(() => {});
  await expect.poll(() => api.produced.length).toBe(1);
  await passTime(20);
  await expect(second).rejects.toMatchObject({ code: "DELIVERY_TIMEOUT", message: expect.stringContaining("20 ms") });
  await expect(second).rejects.toThrow("not sent");
  await passTime(180);
  await expect(first).rejects.toThrow("200 ms");
  await passTime(10);
  expect(api.produced).toHaveLength(1);
});

test("appends are bounded: what does not fit is refused at once, and fits again later", async () => {
  const gate = Promise.withResolvers<void>();
  api.onProduce = async (_, append) => {
    await gate.promise;
    return append();
  };
  const value = new Uint8Array(1_000_000);
  const appends = Array.from({ length: 40 }, () => client.append("t", 0, [{ value }]));
  const settled = Promise.allSettled(appends);
  await expect(appends.at(-1)).rejects.toMatchObject({ code: "BUFFER_FULL" });
  gate.resolve();
  const taken = (await settled).filter(({ status }) => status === "fulfilled").length;
  expect(taken).toBeGreaterThan(30);
  expect(taken).toBeLessThan(34);
  await client.append("t", 0, [{ value }]);
});

test("a wait that the server asks for is kept, and a timeout tells the limit, not what was left of it", async () => {
  let tries = 0;
  api.onProduce = () => {
    tries++;
    throw new QuotaExceededError("enough for now", { retryAfterMs: 10_000 });
  };
  const passTime = fakeTime();
  const refused = client.append("t", 0, [{ value: "a" }], { deliveryTimeoutMs: 300 });
  refused.catch(() => {});
  await expect.poll(() => tries).toBe(1);
  await passTime(300);
  await expect(refused).rejects.toMatchObject({ code: "DELIVERY_TIMEOUT", message: expect.stringContaining("300 ms") });
  expect(tries).toBe(1);
});

test("a client that is closed waits for its appends, and gives them up when the time is over", async () => {
  const gate = Promise.withResolvers<void>();
  api.onProduce = async (_, append) => {
    await gate.promise;
    return append();
  };
  const appended = client.append("t", 0, [{ value: "a" }]);
  const closed = client.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
  gate.resolve();
  await closed;
  expect(await appended).toMatchObject({ offset: 0 });
  await expect(client.append("t", 0, [{ value: "b" }])).rejects.toMatchObject({ code: "CLOSED" });

  api.onProduce = () => new Promise<never>(() => {});
  const other = connect(api);
  const outcomes = Promise.allSettled([
    other.append("t", 0, [{ value: "c" }]),
    other.producer("t").send({ value: "d", partition: 0 }),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await other.close({ timeoutMs: 20 });
  const codes = (await outcomes).map((one) => one.status === "rejected" && one.reason.code);
  expect(codes).toEqual(["CLOSED", "DELIVERY_TIMEOUT"]);
  expect(() => other.producer("t")).toThrow(expect.objectContaining({ code: "CLOSED" }));
});

test("of the partitions that were appended to, idle ones are remembered up to a number, and busy ones always", async () => {
  const producerIdOf = async (topic: string) => {
    await client.append(topic, 0, [{ value: "a" }]);
    return RecordBatch.parse(api.produced.at(-1)!.batches).producerId;
  };
  const first = await producerIdOf("t");
  const gate = Promise.withResolvers<void>();
  await api.createTopic({ topic: "busy", partitions: 1 });
  api.onProduce = async ({ topic }, append) => {
    if (topic === "busy") await gate.promise;
    return append();
  };
  const busy = client.append("busy", 0, [{ value: "a" }]);
  let last = 0;
  for (let i = 0; i < 1_100; i++) {
    await api.createTopic({ topic: `many-${i}`, partitions: 1 });
    last = await producerIdOf(`many-${i}`);
  }
  const busyId = RecordBatch.parse(api.produced.find(({ topic }) => topic === "busy")!.batches).producerId;
  gate.resolve();
  await busy;
  expect(await producerIdOf("busy")).toBe(busyId);
  expect(await producerIdOf("many-1099")).toBe(last);
  expect(await producerIdOf("t")).not.toBe(first);
});

test("of the topics that were appended to, a bounded number is remembered", async () => {
  const asked: string[] = [];
  const describeTopic = api.describeTopic.bind(api);
  api.describeTopic = (topic) => {
    asked.push(topic);
    return describeTopic(topic);
  };
  const append = (i: number) => client.append(`many-${i}`, 0, [{ value: "a" }]);
  for (let i = 0; i < 1_100; i++) {
    await api.createTopic({ topic: `many-${i}`, partitions: 1 });
    await append(i);
  }
  await append(1_099);
  expect(asked).toHaveLength(1_100);
  await append(0);
  expect(asked.slice(1_100)).toEqual(["many-0"]);
});
