/** A log whose stream answers late, wrongly or not at all. */
import { describe, expect, onTestFinished, test } from "vitest";
import { batch, codeOf, lines, numbered } from "../../core/test/engine-contract/home.ts";
import type { JetStreamEvent, TellEvent } from "../src/events/jetstream-events.ts";
import { JetStreamLog } from "../src/partition/jetstream-log.ts";
import { MessageCache } from "../src/partition/message-cache.ts";
import type { Ownership } from "../src/partition/ownership.ts";
import { StreamInMemory } from "./stream-in-memory.ts";

const CONFIG = { durability: "replicated", maxBatchBytes: 1024 * 1024 } as const;

/** A log of its own for each broker, on the same stream. */
function logOn(memory: StreamInMemory, ownership?: Ownership, tell?: TellEvent, cacheBytes = 0): JetStreamLog {
  const context = {
    tell,
    cache: new MessageCache(cacheBytes),
    broker: "b",
    durabilities: ["replicated"],
    appendTimeoutMs: 2_000,
    now: () => 1_000,
    healthChanged: () => {},
  } as const;
  const log = new JetStreamLog(0, memory.stream, context, () => CONFIG, { ownership });
  onTestFinished(() => log.close());
  return log;
}

async function append(log: JetStreamLog, ...values: string[]): Promise<void> {
  for (const value of values) await log.appendBatches(batch([value]));
}

const kinds = ({ messages }: StreamInMemory) => messages.map(({ subject }) => subject.slice(2)).join(" ");

test("one message is in flight, whatever is appended at once", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  const large = Buffer.alloc(600_000, "x").toString();
  await Promise.all(Array.from({ length: 6 }, (_, i) => log.appendBatches(numbered([large], i))));
  expect(memory.messages.length).toBeGreaterThan(4);
  expect(memory.mostInFlight).toBe(1);
});

test("until a message's fate is known, its bytes are sent again, and no others", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a");
  memory.fates.push("unsent", "unsent", "unsent");
  await Promise.all([append(log, "b"), new Promise(setImmediate).then(() => append(log, "c"))]);
  const [, , first, ...attempts] = memory.published;
  for (const attempt of attempts.slice(0, 3)) expect(attempt).toEqual(first);
  expect(await lines(log)).toEqual(["0 a", "1 b", "2 c"]);
});

test("a message that was stored without an acknowledgement is not sent again", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a");
  memory.fates.push("unacknowledged");
  await append(log, "b");
  expect(memory.published.length).toBe(3);
  expect(await lines(log)).toEqual(["0 a", "1 b"]);
});

test("an attempt that arrives after the next one is stored once", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a");
  memory.fates.push("late");
  await append(log, "b");
  expect(() => memory.arrive()).toThrow("wrong last sequence");
  memory.fates.push("late", "unsent");
  const appending = append(log, "c");
  await expect.poll(() => memory.published.length).toBe(6);
  memory.arrive();
  await appending;
  expect(await lines(log)).toEqual(["0 a", "1 b", "2 c"]);
});

test("a takeover reads what a replica does not show yet", async () => {
  const memory = new StreamInMemory();
  await append(logOn(memory), "a", "b", "c");
  memory.replicaLag = 3;
  const next = logOn(memory);
  await append(next, "d");
  memory.replicaLag = 0;
  expect(await lines(next)).toEqual(["0 a", "1 b", "2 c", "3 d"]);
});

test("a reader finds what a replica does not show yet", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a", "b", "c");
  for (const lag of [1, 2, 3, 4]) {
    memory.replicaLag = lag;
    const other = logOn(memory);
    await other.refresh();
    expect(await lines(other)).toEqual(["0 a", "1 b", "2 c"]);
  }
});

test("a broker that has read nothing finds each record, and a reader each next one", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  for (let i = 0; i < 40; i++) {
    await append(log, `v${i}`);
    if (i % 7 === 3) await append(logOn(memory), "another owner").then(() => append(log, "lost").catch(() => {}));
  }
  await log.refresh();
  const all = await lines(log);
  for (const [offset, line] of all.entries()) {
    const other = logOn(memory);
    await other.refresh();
    const reader = other.reader(offset);
    for (const expected of all.slice(offset, offset + 3)) {
      const { bytes } = (await reader.next({ maxBytes: 1 }))!;
      expect(Buffer.from(bytes).includes(expected.split(" ")[1]!), line).toBe(true);
    }
  }
});

test("each takeover has an epoch of its own, also of the same broker", async () => {
  const memory = new StreamInMemory();
  const [a, b] = [logOn(memory), logOn(memory)];
  await append(a, "a");
  await append(b, "b");
  expect(await codeOf(append(a, "c"))).toBe("UNAVAILABLE");
  await append(a, "c");
  expect(kinds(memory)).toBe("epoch data epoch data epoch data");
  expect(memory.messages.filter((_, i) => i % 2 === 1).map(({ header }) => header.get("LogStore-Epoch"))).toEqual([
    "1",
    "3",
    "5",
  ]);
});

test("an old state that a former leader tells is not taken for damage", async () => {
  const memory = new StreamInMemory();
  const first = logOn(memory);
  await append(first, "a", "b", "c");
  await first.deleteRecords(1); // epoch data data data state, and a purge
  const stale = memory.messages.at(-1)!.seq;
  await append(first, "d", "e");
  await first.deleteRecords(3);
  const next = logOn(memory);
  const { last } = memory;
  // Asked for the state once more, the servers agree on who leads.
  memory.last = async (kind) => {
    memory.last = last;
    const told = await last.call(memory, kind);
    return kind === "state" ? ({ ...told, seq: stale - 1 } as NonNullable<typeof told>) : told;
  };
  expect(await codeOf(append(next, "f"))).toBe("UNAVAILABLE");
  expect(next.knownDamage).toBeUndefined();
  await append(next, "f");
  expect(await lines(next, 3)).toEqual(["3 d", "4 e", "5 f"]);
});

test("a message that is missing is damage, and nothing is written after it", async () => {
  const memory = new StreamInMemory();
  await append(logOn(memory), "a", "b", "c");
  memory.messages.splice(2, 1);
  const next = logOn(memory);
  expect(await codeOf(append(next, "d"))).toBe("CORRUPT_PARTITION");
  expect(next.knownDamage).toMatchObject({ code: "CORRUPT_PARTITION" });
});

test("a message of a former owner behind the next one's epoch is damage", async () => {
  const memory = new StreamInMemory();
  await append(logOn(memory), "a");
  await append(logOn(memory), "b");
  memory.messages.at(-1)!.header.set("LogStore-Epoch", "1");
  expect(await codeOf(append(logOn(memory), "c"))).toBe("CORRUPT_PARTITION");
});

test("a message that does not continue the log is damage", async () => {
  const memory = new StreamInMemory();
  await append(logOn(memory), "a", "b");
  memory.messages.at(-1)!.header.set("LogStore-Base-Offset", "7");
  expect(await codeOf(append(logOn(memory), "c"))).toBe("CORRUPT_PARTITION");
});

test("the last data message, the last state and what is not deleted outlive each deletion", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a", "b", "c");
  await log.deleteRecords(2);
  expect(kinds(memory)).toBe("data state");
  await log.deleteRecords(3); // all of them
  expect(kinds(memory)).toBe("data state state");
  await append(log, "d");
  const next = logOn(memory);
  await append(next, "e");
  expect(await lines(next, 3)).toEqual(["3 d", "4 e"]);
});

test("a record that is appended during a deletion leaves the state record in place", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a");
  const { last } = memory;
  memory.last = async (kind) => {
    if (memory.messages.at(-1)?.subject === "s.state") {
      memory.last = last;
      await append(log, "b");
    }
    return last.call(memory, kind);
  };
  await log.deleteRecords(1);
  expect(kinds(memory)).toBe("state data");
});

test("the log start offset never moves back", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a", "b", "c", "d");
  await Promise.all([log.deleteRecords(3), log.deleteRecords(2)]);
  const other = logOn(memory);
  await other.refresh();
  expect(other.offsets.logStart).toBe(3);
});

test("a deletion that is refused purges nothing", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a", "b", "c");
  await log.deleteRecords(1);
  const next = logOn(memory);
  await append(next, "d");
  const before = memory.purges.length;
  expect(await codeOf(log.deleteRecords(3))).toBe("UNAVAILABLE");
  expect(memory.purges.length).toBe(before);
  expect(await lines(next, 1)).toEqual(["1 b", "2 c", "3 d"]);
});

test("records are not deleted as long as the message of the log start offset is not found", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory);
  await append(log, "a", "b", "c");
  const { read, next } = memory;
  memory.read = async () => [];
  memory.next = async (sequence, kind) => (kind === "data" ? undefined : next.call(memory, sequence, kind));
  const other = logOn(memory);
  await other.refresh();
  await other.deleteRecords(1);
  Object.assign(memory, { read, next });
  expect(await lines(other, 1)).toEqual(["1 b", "2 c"]);
});

test("a log that was opened as its owner does not take over again", async () => {
  const memory = new StreamInMemory();
  const log = logOn(memory, { term: () => 1, address: () => undefined, takesOverAgain: false });
  await log.claim();
  await append(log, "a");
  await append(logOn(memory), "b");
  expect(await codeOf(append(log, "c"))).toBe("UNAVAILABLE");
  expect(await codeOf(append(log, "c"))).toBe("NOT_OWNER");
  expect(kinds(memory)).toBe("epoch data epoch data");
});

test("a broker that loses a partition while it writes acknowledges nothing that is not stored", async () => {
  const memory = new StreamInMemory();
  let term: number | undefined = 1;
  const ownership: Ownership = { term: () => term, address: () => "other:1", takesOverAgain: true };
  const log = logOn(memory, ownership);
  await append(log, "a");
  memory.fates.push("unsent");
  const appending = append(log, "b");
  term = undefined;
  await append(logOn(memory), "c");
  expect(await codeOf(appending)).toBe("UNAVAILABLE");
  expect(await codeOf(append(log, "d"))).toBe("NOT_OWNER");
  const reader = logOn(memory);
  await reader.refresh();
  expect(await lines(reader)).toEqual(["0 a", "1 c"]);
});

test("a partition that moves back is taken over before the next append, with what was written meanwhile", async () => {
  const memory = new StreamInMemory();
  let term: number | undefined = 1;
  const ownership: Ownership = { term: () => term, address: () => (term ? "me:1" : "other:1"), takesOverAgain: true };
  const log = logOn(memory, ownership);
  expect(log.hasMovedHere()).toBe(false);
  await append(log, "a");
  term = undefined;
  expect(log.hasMovedHere()).toBe(false);
  await append(logOn(memory), "b");
  term = 2;
  expect([log.hasMovedHere(), log.hasMovedHere()]).toEqual([true, false]);
  await Promise.all([log.takeOver(), append(log, "c")]);
  await log.takeOver();
  expect(kinds(memory)).toBe("epoch data epoch data epoch data");
  expect(await lines(log)).toEqual(["0 a", "1 b", "2 c"]);
});

describe("a stream that has lost its tail", () => {
  /** The log of the owner, after it has written a, b, c and d, and what it tells of losses. */
  async function loser(lostAfter: number) {
    const memory = new StreamInMemory();
    const told: JetStreamEvent[] = [];
    const log = logOn(memory, undefined, (event) => event.type === "records_lost" && told.push(event), 1024 * 1024);
    await append(log, "a", "b", "c", "d"); // in the messages 2 to 5
    await lines(log); // they are in the cache
    memory.loseAfter(lostAfter);
    return { memory, log, told };
  }

  test("is given up, taken over, and goes on from what it has; the operator is told once", async () => {
    const { memory, log, told } = await loser(3);
    expect(await codeOf(append(log, "x"))).toBe("UNAVAILABLE");
    await append(log, "x", "y");
    expect(await lines(log)).toEqual(["0 a", "1 b", "2 x", "3 y"]);
    expect(told).toEqual([{ type: "records_lost", partition: 0, from: 2, to: 4 }]);
    expect(kinds(memory)).toBe("epoch data data epoch data data");
    const other = logOn(memory);
    await append(other, "z");
    expect(await lines(other)).toEqual(["0 a", "1 b", "2 x", "3 y", "4 z"]);
  });

  test("gives the write that found it an outcome of its own", async () => {
    const memory = new StreamInMemory();
    const outcomes: JetStreamEvent[] = [];
    const log = logOn(memory, undefined, (event) => event.type === "outcome" && outcomes.push(event));
    await append(log, "a", "b");
    memory.loseAfter(2);
    memory.fates.push("unsent"); // only a write without an answer has an outcome
    expect(await codeOf(append(log, "x"))).toBe("UNAVAILABLE");
    expect(outcomes).toMatchObject([{ outcome: "tail_lost" }]);
  });

  test("serves none of the lost records, whatever is in the index and the cache", async () => {
    const { log } = await loser(2);
    await codeOf(append(log, "x"));
    await log.appendBatches(batch(["x", "y"])); // one message; c began at the offset of y
    expect(await lines(log)).toEqual(["0 a", "1 x", "2 y"]);
    expect(await lines(log, 2)).toEqual(["2 y"]);
    expect(() => log.reader(4)).toThrow(expect.objectContaining({ code: "OFFSET_OUT_OF_RANGE", expected: 3 }));
  });

  test("readers beyond its end get OFFSET_OUT_OF_RANGE, also when it has grown past them", async () => {
    const { log } = await loser(3);
    const [beyond, later, within] = [log.reader(4), log.reader(4), log.reader(2)];
    const waiting = log.waitBeyond(4);
    await codeOf(append(log, "x"));
    await append(log, "x");
    expect(await waiting).toBe(true);
    const outOfRange = { code: "OFFSET_OUT_OF_RANGE", offset: 4, expected: 3 };
    await expect(beyond.next({ maxBytes: 1 })).rejects.toMatchObject(outOfRange);
    await append(log, "y", "z");
    await expect(later.next({ maxBytes: 1 })).rejects.toMatchObject({ code: "OFFSET_OUT_OF_RANGE", expected: 5 });
    expect((await within.next({ maxBytes: 1 }))?.nextOffset).toBe(3);
    expect((await log.reader(4).next({ maxBytes: 1 }))?.nextOffset).toBe(5);
  });

  test("has the producers that it still has", async () => {
    const memory = new StreamInMemory();
    const log = logOn(memory);
    for (let i = 0; i < 4; i++) await log.appendBatches(numbered([`v${i}`], i));
    memory.loseAfter(3);
    expect(await codeOf(log.appendBatches(numbered(["v4"], 4)))).toBe("UNAVAILABLE");
    expect(await codeOf(log.appendBatches(numbered(["v4"], 4)))).toBe("OUT_OF_ORDER_SEQUENCE");
    expect(await log.appendBatches(numbered(["v2"], 2))).toMatchObject({ baseOffset: 2 });
  });

  test("may have lost a deletion: the log start offset is the stream's", async () => {
    const memory = new StreamInMemory();
    const log = logOn(memory);
    await append(log, "a", "b", "c", "d");
    const before = [...memory.messages];
    await log.deleteRecords(4);
    memory.messages.splice(0, memory.messages.length, ...before);
    memory.loseAfter(3);
    await codeOf(append(log, "x"));
    await append(log, "x");
    expect(log.offsets.logStart).toBe(0);
    expect(await lines(log)).toEqual(["0 a", "1 b", "2 x"]);
  });

  test("is not what a former leader makes of it", async () => {
    const memory = new StreamInMemory();
    const log = logOn(memory);
    await append(log, "a");
    memory.fates.push("unacknowledged");
    const { next } = memory;
    let asked = 0;
    memory.next = async (...about) => (++asked <= 3 ? undefined : next.call(memory, ...about));
    await append(log, "b");
    expect(kinds(memory)).toBe("epoch data data");
    expect(await lines(log)).toEqual(["0 a", "1 b"]);
  });
});
