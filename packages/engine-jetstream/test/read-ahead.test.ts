/** How a reader asks NATS for the messages that it needs next. */
import { expect, onTestFinished, test } from "vitest";
import { batch } from "../../core/test/engine-contract/home.ts";
import { JetStreamLog } from "../src/partition/jetstream-log.ts";
import { MessageCache } from "../src/partition/message-cache.ts";
import { StreamInMemory } from "./stream-in-memory.ts";

const MIB = 1024 * 1024;
const CHUNK = { maxBytes: 256 * 1024 };
const MESSAGES = 24;
const MESSAGE_BYTES = 600_000;
/** To find where the reader begins, and then three messages each. */
const MOST_READS = 14;

function logOn(memory: StreamInMemory, cache: MessageCache): JetStreamLog {
  const context = {
    cache,
    broker: "b",
    durabilities: ["replicated"],
    appendTimeoutMs: 2_000,
    now: () => 1_000,
    healthChanged: () => {},
  } as const;
  const log = new JetStreamLog(0, memory.stream, context, () => ({ durability: "replicated", maxBatchBytes: MIB }));
  onTestFinished(() => log.close());
  return log;
}

/** A partition that another broker has written; no reads are counted yet. */
async function written(): Promise<StreamInMemory> {
  const memory = new StreamInMemory();
  const log = logOn(memory, new MessageCache(0));
  const value = Buffer.alloc(MESSAGE_BYTES, "x").toString();
  for (let i = 0; i < MESSAGES; i++) await log.appendBatches(batch([value]));
  memory.reads.length = 0;
  return memory;
}

async function readerOn(memory: StreamInMemory, cache: MessageCache) {
  const log = logOn(memory, cache);
  await log.refresh();
  return log.reader(0);
}

test("a reader that goes on asks for several messages at a time, and for none twice", async () => {
  const memory = await written();
  const reader = await readerOn(memory, new MessageCache(64 * MIB));
  for (let i = 0; i < MESSAGES; i++) expect((await reader.next(CHUNK))?.nextOffset).toBe(i + 1);
  expect(await reader.next(CHUNK)).toBeUndefined();
  expect(memory.reads.length).toBeLessThanOrEqual(MOST_READS);
  expect(memory.reads.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan((MESSAGES + 5) * MESSAGE_BYTES);
});

test("what is in memory is not read ahead", async () => {
  const memory = await written();
  const cache = new MessageCache(64 * MIB);
  for (const isFirst of [true, false]) {
    const reader = await readerOn(memory, cache);
    memory.reads.length = 0;
    for (let i = 0; i < MESSAGES; i++) await reader.next(CHUNK);
    do await new Promise(setImmediate);
    while (memory.reading > 0);
    expect(memory.reads.length > 0).toBe(isFirst);
  }
});

test("the next messages are on their way while the caller has a chunk", async () => {
  const memory = await written();
  const reader = await readerOn(memory, new MessageCache(64 * MIB));
  await reader.next(CHUNK);
  expect(memory.reading).toBe(0); // a caller that wants one chunk does not pay for more
  await reader.next(CHUNK);
  while (memory.reading > 0) await new Promise(setImmediate);
  for (let i = 2; i < MESSAGES; i++) {
    const before = memory.reads.length;
    await reader.next(CHUNK);
    expect(memory.reads.length).toBe(before); // no read had to end first
    while (memory.reading > 0) await new Promise(setImmediate); // what the caller does takes its time
  }
  expect(memory.reads.length).toBeLessThanOrEqual(MOST_READS);
});

test("a reader has a message as soon as it has arrived, whatever follows it in the same read", async () => {
  const memory = await written();
  const reader = await readerOn(memory, new MessageCache(64 * MIB));
  for (let i = 0; i < 4; i++) await reader.next(CHUNK);
  expect(memory.reading).toBe(1);
});

test("readers together read ahead half of the memory for messages at most", async () => {
  const memory = await written();
  const cache = new MessageCache(8 * MIB);
  const readers = await Promise.all(Array.from({ length: 10 }, () => readerOn(memory, cache)));
  for (const reader of readers) await reader.next(CHUNK);
  let most = 0;
  for (let i = 1; i < MESSAGES; i++) {
    const chunks = readers.map((reader) => reader.next(CHUNK));
    for (const chunk of chunks) expect((await chunk)?.nextOffset).toBe(i + 1);
    most = Math.max(most, memory.reading);
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(2);
});

test("what other reads displace from memory is read again, and all is read twice at most", async () => {
  const memory = await written();
  const cache = new MessageCache(4 * MIB);
  const reader = await readerOn(memory, cache);
  for (let i = 0; i < MESSAGES; i++) {
    expect((await reader.next(CHUNK))?.nextOffset).toBe(i + 1);
    while (memory.reading > 0) await new Promise(setImmediate);
    for (let more = 0; more < 8; more++) {
      cache.add("another partition", { ...placeAt(more), body: new Uint8Array(MESSAGE_BYTES) });
    }
  }
  expect(memory.reads.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(2.2 * MESSAGES * MESSAGE_BYTES);
});

function placeAt(offset: number) {
  const [baseOffset, nextOffset] = [offset, offset + 1];
  return { sequence: offset, epoch: 1, baseOffset, nextOffset, appendTime: 0, position: 0, nextPosition: 0 };
}

test("a reader whose read ahead fails reads again when it needs the message", async () => {
  const memory = await written();
  const reader = await readerOn(memory, new MessageCache(64 * MIB));
  await reader.next(CHUNK);
  await reader.next(CHUNK);
  const { read } = memory;
  memory.read = () => Promise.reject(new Error("timeout"));
  await new Promise(setImmediate);
  memory.read = read;
  for (let i = 2; i < MESSAGES; i++) expect((await reader.next(CHUNK))?.nextOffset).toBe(i + 1);
});
