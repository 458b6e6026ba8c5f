/**
 * The memory of an iteration over many partitions, and the order in which partitions take turns.
 */
import { expect, onTestFinished, test, vi } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { connect } from "../connect.js";
import { MAX_READ_AHEAD_BYTES, ReadAhead, ReadAheadShare } from "./read-ahead.js";

/** Shares of a read-ahead of 100 bytes, 10 bytes each; `events` records what happens to them. */
function shares(count: number, maxBytes = 100) {
  const readAhead = new ReadAhead(maxBytes);
  const events: string[] = [];
  const all = Array.from({ length: count }, () => new ReadAheadShare(readAhead, 10));
  const turn = (i: number) => all[i]!.turn().then(() => events.push(`turn ${i}`));
  return { readAhead, all, events, turn };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("as many open their streams as there is room for; the others follow in order", async () => {
  const { all, events, turn } = shares(25);
  for (const i of range(0, 25)) turn(i);
  await settle();
  expect(events.splice(0)).toEqual(range(0, 10).map((i) => `turn ${i}`));
  all[3]!.caughtUp();
  all[5]!.leave();
  await settle();
  expect(events).toEqual(["turn 10", "turn 11"]);
});

test("a message keeps its room until it is taken, also that of a partition that had caught up", async () => {
  const { readAhead, all, events, turn } = shares(11);
  for (const i of range(0, 10)) turn(i);
  await settle();
  all[0]!.caughtUp();
  expect(readAhead.usedBytes).toBe(90);
  all[0]!.received(10);
  all[1]!.received(10);
  expect(readAhead.usedBytes).toBe(100);
  events.length = 0;
  turn(10);
  await settle();
  expect(events).toEqual([]);
  all[0]!.taken();
  await settle();
  expect(events).toEqual(["turn 10"]);
});

test("what a partition that had caught up receives waits for its turn once there is no room", async () => {
  const { readAhead, all, events, turn } = shares(31, 100);
  for (const one of all) {
    void one.turn();
    one.caughtUp();
  }
  await settle();
  for (const i of range(0, 10)) expect(all[i]!.received(10)).toBe(true);
  all[0]!.taken();
  expect(all[0]!.isTurnOver).toBe(false);
  // Partitions that had already requested a message may receive the same amount again.
  for (const i of range(10, 22)) expect(all[i]!.received(10)).toBe(true);
  expect(readAhead.usedBytes).toBe(210);
  expect(all[22]!.received(10)).toBe(false);
  all[10]!.taken();
  expect(all[10]!.isTurnOver).toBe(true);
  turn(10);
  for (const i of range(11, 21)) all[i]!.taken();
  await settle();
  expect(events).toEqual([]);
  all[21]!.taken();
  await settle();
  expect(events).toEqual(["turn 10"]);
});

test("a message larger than the whole is read when nothing else is held", async () => {
  const { all, events, turn } = shares(2);
  turn(0);
  await settle();
  all[0]!.received(500);
  all[0]!.leave();
  turn(1); // as large as the previous messages
  turn(0);
  await settle();
  expect(events.splice(0)).toEqual(["turn 0", "turn 1"]);
  all[1]!.received(500);
  all[1]!.taken();
  expect(all[1]!.isTurnOver).toBe(false);
  all[1]!.caughtUp();
  await settle();
  expect(events).toEqual(["turn 0"]);
});

test("a turn is over after a while, when others wait", async () => {
  const { all, turn } = shares(3, 20);
  turn(0);
  turn(1);
  await settle();
  const read = () => {
    all[0]!.received(10);
    all[0]!.taken();
  };
  for (let i = 0; i < 2 ** 20 / 10; i++) read();
  expect(all[0]!.isTurnOver).toBe(false);
  turn(2);
  await settle();
  read();
  expect(all[0]!.isTurnOver).toBe(true);
});

test.each([
  { count: 160, maxReadAheadBytes: undefined },
  { count: 20, maxReadAheadBytes: 8 * 1024 * 1024 },
])(
  "a slow reader of many partitions holds no more than its read-ahead, and misses nothing: %o",
  async (given) => {
    const { count, maxReadAheadBytes } = given;
    const limit = maxReadAheadBytes ?? MAX_READ_AHEAD_BYTES;
    const api = new FakeLogApi();
    await api.createTopic({ topic: "t", partitions: count });
    const client = connect(api);
    const value = new Uint8Array(1_000_000);
    const append = async () => {
      for (const partition of range(0, count)) await client.append("t", partition, [{ value }]);
    };
    await append();
    const held = new Map<ReadAheadShare, number>();
    let taken = 0;
    let most = 0;
    const { received } = ReadAheadShare.prototype;
    onTestFinished(() => void vi.restoreAllMocks());
    const { taken: takenOf } = ReadAheadShare.prototype;
    vi.spyOn(ReadAheadShare.prototype, "taken").mockImplementation(function (this: ReadAheadShare) {
      held.delete(this);
      takenOf.call(this);
    });
    vi.spyOn(ReadAheadShare.prototype, "received").mockImplementation(function (this: ReadAheadShare, bytes) {
      const isHeld = received.call(this, bytes);
      if (isHeld) held.set(this, bytes);
      most = Math.max(
        most,
        [...held.values()].reduce((sum, bytes) => sum + bytes, 0),
      );
      return isHeld;
    });
    const next = new Map<number, number>();
    for await (const { partition, offset } of client.reader({ assign: { t: range(0, count) }, maxReadAheadBytes })) {
      expect(offset).toBe(next.get(partition) ?? 0);
      next.set(partition, offset + 1);
      if (++taken % 20 === 0) await settle();
      if (taken === count) await append(); // to all partitions at once
      if (taken === count * 2) break;
    }
    expect(most).toBeLessThan(2.1 * limit + value.length);
    expect(most).toBeGreaterThan(0.5 * limit);
    await client.close();
  },
  30_000,
);

test("partitions that have caught up keep no room, also after messages for all of them at once", async () => {
  const count = 20;
  const api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: count });
  const client = connect(api);
  const value = new Uint8Array(1_000_000);
  const append = async () => {
    for (const partition of range(0, count)) await client.append("t", partition, [{ value }]);
  };
  let readAhead: ReadAhead | undefined;
  const { changed } = ReadAhead.prototype;
  onTestFinished(() => void vi.restoreAllMocks());
  vi.spyOn(ReadAhead.prototype, "changed").mockImplementation(function (this: ReadAhead, bytes) {
    readAhead = this;
    changed.call(this, bytes);
  });
  const reader = client.reader({ assign: { t: range(0, count) }, maxReadAheadBytes: 8 * 1024 * 1024 });
  const records = reader[Symbol.asyncIterator]();
  for (let round = 0; round < 3; round++) {
    await append();
    for (let i = 0; i < count; i++) await records.next();
    const next = records.next(); // takes the last message
    await expect.poll(() => readAhead!.usedBytes).toBe(0);
    await client.append("t", round, [{ value }]);
    expect(await next).toMatchObject({ value: { partition: round } });
  }
  await client.close();
});
