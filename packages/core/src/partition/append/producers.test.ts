/**
 * Idempotent producers: a batch that is sent twice is appended once, whatever happens in between.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { HookedStorage } from "../../../test/hooked-storage.js";
import { caught, codeOf, range, sealed, values } from "../../../test/records.js";
import { crashCopy, temporaryDirectory } from "../../../test/temporary-directory.js";
import { Broker, type BrokerOptions } from "../../index.js";

class Producer {
  readonly broker: Broker;

  constructor(broker: Broker) {
    this.broker = broker;
  }

  static async open(directory = ":memory:", options: BrokerOptions = {}): Promise<Producer> {
    const broker = await Broker.open(directory, options);
    onTestFinished(() => broker.close());
    if ((await broker.listTopics()).length === 0) await broker.createTopic({ topic: "t", partitions: 1 });
    return new Producer(broker);
  }

  send(baseSequence: number, contents: readonly string[], producerEpoch = 0, producerId = 7) {
    return this.produce(sealed(contents, { producerId, producerEpoch, baseSequence }));
  }

  produce(...batches: Uint8Array[]) {
    return this.broker.produce({ topic: "t", partition: 0, batches: Buffer.concat(batches) });
  }

  values(): Promise<string[]> {
    return values(this.broker.topic("t"));
  }
}

const a = (baseSequence: number, value: string, producerEpoch = 0) =>
  sealed([value], { producerId: 1, producerEpoch, baseSequence });
const b = (baseSequence: number, value: string) => sealed([value], { producerId: 2, producerEpoch: 0, baseSequence });

test("a duplicate gets the first ack again and is appended once", async () => {
  const producer = await Producer.open();
  const first = await producer.send(0, ["a", "b"]);
  expect(first).toEqual({ baseOffset: 0, nextOffset: 2, durability: "flushed", duplicate: false, logEndOffset: 2 });
  await producer.send(2, ["c"]);
  expect(await producer.send(0, ["a", "b"])).toEqual({ ...first, duplicate: true, logEndOffset: 3 });
  expect(await producer.send(2, ["c"])).toEqual({
    baseOffset: 2,
    nextOffset: 3,
    durability: "flushed",
    duplicate: true,
    logEndOffset: 3,
  });
  expect(await producer.values()).toEqual(["a", "b", "c"]);
});

test("a duplicate with its expected offset gets the first ack; a new batch with that offset is refused", async () => {
  const { broker } = await Producer.open();
  const expectedOffset = 0;
  const produce = (batches: Uint8Array) => broker.produce({ topic: "t", partition: 0, batches, expectedOffset });
  const first = await produce(a(0, "a"));
  expect(await produce(a(0, "a"))).toEqual({ ...first, duplicate: true });
  expect(await codeOf(produce(a(1, "b")))).toBe("WRONG_EXPECTED_OFFSET");
  expect(await values(broker.topic("t"))).toEqual(["a"]);
});

test("a duplicate of a batch that is being written", async () => {
  const producer = await Producer.open();
  const acks = await Promise.all([producer.send(0, ["a"]), producer.send(0, ["a"]), producer.send(1, ["b"])]);
  expect(acks.map(({ baseOffset, duplicate }) => [baseOffset, duplicate])).toEqual([
    [0, false],
    [0, true],
    [1, false],
  ]);
  expect(await producer.values()).toEqual(["a", "b"]);
});

test.each(["clean", "crash"])("a duplicate after reopening (%s), and after rolls", async (how) => {
  const directory = join(temporaryDirectory(), "data");
  const first = await Producer.open(directory, { segmentBytes: 250 });
  for (const [i, value] of range(10).entries()) await first.send(i, [value]);
  await first.send(50, ["other"], 3, 8);
  const copy = how === "crash" ? crashCopy(directory) : directory;
  if (how === "clean") await first.broker.close();
  const again = await Producer.open(copy, { segmentBytes: 250 });
  for (let i = 5; i < 10; i++) expect(await again.send(i, [`v${i}`])).toMatchObject({ baseOffset: i, duplicate: true });
  expect(await codeOf(again.send(4, ["v4"]))).toBe("OUT_OF_ORDER_SEQUENCE");
  expect(await again.send(50, ["other"], 3, 8)).toMatchObject({ baseOffset: 10, duplicate: true });
  expect(await codeOf(again.send(51, ["old"], 2, 8))).toBe("PRODUCER_FENCED");
  expect(await again.send(10, ["v10"])).toMatchObject({ baseOffset: 11, duplicate: false });
  expect(await again.values()).toEqual([...range(10), "other", "v10"]);
});

test("a batch that a crash kept from the log is no duplicate, although its roll wrote a checkpoint", async () => {
  const storage = new HookedStorage();
  const first = await Producer.open("data", { storage, segmentBytes: 250 });
  let k = 0;
  storage.before = ({ kind, path }) => {
    if (kind === "write" && path.endsWith("3.log") && ++k === 1) throw new Error("power cut");
  };
  const acked: string[] = [];
  for (const [i, value] of range(5).entries()) {
    const sent = await first.send(i, [value]).catch(() => undefined);
    if (sent !== undefined) acked.push(value);
  }
  expect(acked).toEqual(["v0", "v1", "v2"]);
  const again = await Producer.open("data", { storage: storage.inner });
  expect(await again.send(3, ["v3"])).toMatchObject({ baseOffset: 3, duplicate: false });
  expect(await again.values()).toEqual(range(4));
});

test("a gap in the sequence is refused and changes nothing", async () => {
  const producer = await Producer.open();
  await producer.send(0, ["a", "b"]);
  const fields = { topic: "t", partition: 0, expected: 2, actual: 3 };
  expect(await caught(producer.send(3, ["d"]))).toMatchObject({ code: "OUT_OF_ORDER_SEQUENCE", ...fields });
  expect(await codeOf(producer.send(1, ["b"]))).toBe("OUT_OF_ORDER_SEQUENCE"); // a part of a batch does not count as that batch
  expect(await producer.send(2, ["c"])).toMatchObject({ baseOffset: 2 });
});

test("epochs: a higher one starts a new sequence, a lower one is fenced", async () => {
  const producer = await Producer.open();
  await producer.send(5, ["a"], 1);
  expect(await producer.send(0, ["b"], 2)).toMatchObject({ baseOffset: 1 });
  const fields = { topic: "t", partition: 0, expected: 2, actual: 1 };
  expect(await caught(producer.send(6, ["z"], 1))).toMatchObject({ code: "PRODUCER_FENCED", ...fields });
  expect(await producer.send(0, ["b"], 2)).toMatchObject({ baseOffset: 1, duplicate: true });
  expect(await producer.values()).toEqual(["a", "b"]);
});

test("sequences wrap around at 2^32, within a batch and between batches", async () => {
  const producer = await Producer.open();
  await producer.send(2 ** 32 - 3, ["a"]);
  await producer.send(2 ** 32 - 2, ["b", "c", "d"]);
  expect(await codeOf(producer.send(0, ["x"]))).toBe("OUT_OF_ORDER_SEQUENCE");
  await producer.send(1, ["e"]);
  expect(await producer.send(2 ** 32 - 2, ["b", "c", "d"])).toMatchObject({ baseOffset: 1, duplicate: true });
  expect(await producer.values()).toEqual(["a", "b", "c", "d", "e"]);
});

test("the last five batches are remembered", async () => {
  const producer = await Producer.open();
  for (const [i, value] of range(7).entries()) await producer.send(i, [value]);
  for (let i = 2; i < 7; i++)
    expect(await producer.send(i, [`v${i}`])).toMatchObject({ baseOffset: i, duplicate: true });
  for (const i of [0, 1]) expect(await codeOf(producer.send(i, [`v${i}`]))).toBe("OUT_OF_ORDER_SEQUENCE");
});

test("several batches in one request: all new, all known, or known and then new", async () => {
  const producer = await Producer.open();
  expect(await producer.produce(a(0, "a0"), a(1, "a1"))).toMatchObject({
    baseOffset: 0,
    nextOffset: 2,
    duplicate: false,
  });
  expect(await producer.produce(a(0, "a0"), a(1, "a1"))).toMatchObject({
    baseOffset: 0,
    nextOffset: 2,
    duplicate: true,
  });
  expect(await producer.produce(a(1, "a1"), a(2, "a2"))).toMatchObject({
    baseOffset: 1,
    nextOffset: 3,
    duplicate: false,
  });
  expect(await codeOf(producer.produce(a(3, "a3"), a(5, "a5")))).toBe("OUT_OF_ORDER_SEQUENCE");
  expect(await codeOf(producer.produce(a(3, "a3"), a(3, "a3")))).toBe("OUT_OF_ORDER_SEQUENCE");
  expect(await producer.values()).toEqual(["a0", "a1", "a2"]);
});

test("the producers in one request are checked separately", async () => {
  const producer = await Producer.open();
  await producer.produce(a(0, "a0"), b(0, "b0"), a(1, "a1"), b(1, "b1"));
  expect(await codeOf(producer.produce(a(2, "a2"), b(2, "b2"), a(2, "a2")))).toBe("OUT_OF_ORDER_SEQUENCE");
  expect(await codeOf(producer.produce(a(0, "x", 1), b(2, "b2"), a(2, "a2")))).toBe("PRODUCER_FENCED");
  expect(await producer.values()).toEqual(["a0", "b0", "a1", "b1"]);
  const strangers = [9, 10].map((producerId) => sealed(["n"], { producerId, producerEpoch: 0, baseSequence: 0 }));
  expect(await codeOf(producer.produce(...strangers, strangers[0]!))).toBe("OUT_OF_ORDER_SEQUENCE");
});

test("a refused request creates no files", async () => {
  const directory = join(temporaryDirectory(), "data");
  const producer = await Producer.open(directory);
  expect(await codeOf(producer.produce(a(0, "a0"), a(5, "a5")))).toBe("OUT_OF_ORDER_SEQUENCE");
  const [id] = readdirSync(join(directory, "topics"));
  expect(existsSync(join(directory, "topics", id!, "0"))).toBe(false);
});
