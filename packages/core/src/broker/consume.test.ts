/** A consumer whose position is deleted gets an event, and continues at the log start offset. */
import { frameBatches } from "@logstore/codec";
import type { BatchesEvent, ConsumeEvent, ConsumeRequest, ReadBudget } from "@logstore/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { appendOneByOne, caught, range } from "../../test/records.js";
import { Broker, type BrokerOptions } from "../index.js";

/** A topic "t" with `count` records, each in a batch of its own, two batches per segment. */
async function filled(count: number, options: BrokerOptions = {}) {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage, segmentBytes: 200, ...options });
  onTestFinished(() => broker.close());
  await broker.createTopic({ topic: "t", partitions: 1 });
  await appendOneByOne(broker.topic("t"), range(count));
  return { storage, broker };
}

function reader(broker: Broker, request: Partial<ConsumeRequest> = {}) {
  const events = broker.consume({ topic: "t", partition: 0, maxBytes: 1, ...request });
  onTestFinished(async () => {
    await events.return();
  });
  return {
    next: async () => told((await events.next()).value ?? undefined),
    rest: async () => (await Array.fromAsync(events)).map(told),
  };
}

/** Describes an event: `2` for a batch that begins at offset 2, otherwise the type of the event. */
function told(event: ConsumeEvent | undefined): string {
  if (event === undefined) return "end";
  if (event.type === "batches") return [...frameBatches(event.batches)].map(({ baseOffset }) => baseOffset).join();
  if (event.type === "gap") return `gap ${event.firstOffset}-${event.nextOffset}`;
  const moved = event.type === "logStartMoved" ? ` to ${event.logStartOffset}` : "";
  return `${event.type}${moved} of ${event.highWatermark}`;
}

test.each([0, 4_000_000])(
  "the records at the reader's position are deleted (%d bytes of tail cache)",
  async (tailCacheBytes) => {
    const { broker } = await filled(10, { tailCacheBytes });
    const { next } = reader(broker);
    expect([await next(), await next()]).toEqual(["0", "1"]);
    await broker.deleteRecords("t", 0, 7);
    // The next batch had already been read ahead.
    expect([await next(), await next(), await next()]).toEqual(["2", "logStartMoved to 7 of 10", "7"]);
    expect([await next(), await next(), await next()]).toEqual(["8", "9", "caughtUp of 10"]);
  },
);

test("if all records are deleted, the reader waits for new ones", async () => {
  const { broker } = await filled(5);
  const { next } = reader(broker);
  expect(await next()).toBe("0");
  await broker.deleteRecords("t", 0, 5);
  expect([await next(), await next()]).toEqual(["logStartMoved to 5 of 5", "caughtUp of 5"]);
  const later = next();
  await appendOneByOne(broker.topic("t"), ["new"]);
  expect(await later).toBe("5");
});

test("records deleted between two waits: one logStartMoved event, then caughtUp again", async () => {
  const { broker } = await filled(1);
  const { next } = reader(broker);
  expect([await next(), await next()]).toEqual(["0", "caughtUp of 1"]);
  await appendOneByOne(broker.topic("t"), range(4));
  await broker.deleteRecords("t", 0, 5);
  expect([await next(), await next()]).toEqual(["logStartMoved to 5 of 5", "caughtUp of 5"]);
});

test("a reader that sees when it has caught up is not told so after batches", async () => {
  const { broker } = await filled(2);
  const { next } = reader(broker, { seesCaughtUp: true });
  expect([await next(), await next()]).toEqual(["0", "1"]);
  const later = next();
  await appendOneByOne(broker.topic("t"), range(2));
  expect([await later, await next()]).toEqual(["2", "3"]);
  await broker.deleteRecords("t", 0, 4);
  const last = next();
  await appendOneByOne(broker.topic("t"), ["new"]);
  expect(await last).toBe("4");
});

test("a reader that sees when it has caught up is told so where it gets no batches", async () => {
  const { broker } = await filled(3);
  const { next } = reader(broker, { from: "latest", seesCaughtUp: true });
  expect(await next()).toBe("caughtUp of 3");
  await broker.deleteRecords("t", 0, 3);
  const fromStart = reader(broker, { seesCaughtUp: true });
  expect(await fromStart.next()).toBe("caughtUp of 3");
});

test("a reader ends if the records before its end are deleted", async () => {
  const { broker } = await filled(10);
  const { next, rest } = reader(broker, { until: 6 });
  await next();
  await broker.deleteRecords("t", 0, 8);
  expect(await rest()).toEqual(["logStartMoved to 8 of 10"]);
});

test("a requested start offset that is deleted is an error", async () => {
  const { broker } = await filled(10);
  await broker.deleteRecords("t", 0, 5);
  for (const from of [0, 4, 11]) {
    const error = await caught(reader(broker, { from }).next());
    expect(error).toMatchObject({
      code: "OFFSET_OUT_OF_RANGE",
      topic: "t",
      partition: 0,
      expected: from > 10 ? 10 : 5,
    });
  }
  expect(await reader(broker, { from: 5 }).next()).toBe("5");
  expect(await reader(broker, { from: "earliest" }).next()).toBe("5");
  expect(await reader(broker, { from: { time: 0 } }).next()).toBe("5");
});

test("records that are deleted while the start is looked up cause no error", async () => {
  const { broker } = await filled(10);
  const log = broker.topic("t").log(0);
  await broker.deleteRecords("t", 0, 5);
  vi.spyOn(log, "resolve").mockResolvedValue(3); // the log start offset before the deletion
  expect(await reader(broker, { from: "earliest" }).next()).toBe("5");
  expect(await reader(broker, { from: { time: 0 } }).next()).toBe("5");
});

test("gaps are skipped, within the log and at its end", async () => {
  const { broker, storage } = await filled(6);
  const [id] = (await storage.list("data/topics"))!;
  for (const [segment, n] of [
    [2, 0],
    [4, 1],
  ]) {
    const file = await storage.openFile(`data/topics/${id}/0/${String(segment).padStart(20, "0")}.log`, "write");
    await file.write([Buffer.alloc(20, 0xa5)], (n! * (await file.size())) / 2);
  }
  const damages = (await broker.topic("t").repair({ dryRun: false })).filter(({ kind }) => kind === "damage");
  expect(damages).toMatchObject([{ offset: 2 }, { offset: 5, nextOffset: 6 }]);
  expect(await reader(broker, { until: "latest" }).rest()).toEqual(["0", "1", "gap 2-3", "3", "4", "gap 5-6"]);
  expect(await reader(broker, { from: 2, until: 3 }).rest()).toEqual(["gap 2-3"]);
  const fetch = async (from: number, maxBytes?: number) => {
    const { batches, gaps, nextOffset } = await broker.fetch({ topic: "t", partition: 0, from, maxBytes });
    const bases = Array.from(frameBatches(batches), ({ baseOffset }) => baseOffset);
    return [bases, (gaps ?? []).map(({ firstOffset, nextOffset }) => [firstOffset, nextOffset]), nextOffset];
  };
  expect(await fetch(0)).toEqual([
    [0, 1, 3, 4],
    [
      [2, 3],
      [5, 6],
    ],
    6,
  ]);
  expect(await fetch(2, 1)).toEqual([[3], [[2, 3]], 4]);
  expect(await fetch(5)).toEqual([[], [[5, 6]], 6]);
  const live = reader(broker, { from: 5 });
  expect(await live.next()).toBe("gap 5-6");
  expect(await live.next()).toBe("caughtUp of 6");
  const next = live.next();
  await appendOneByOne(broker.topic("t"), ["new"]);
  expect(await next).toBe("6");
});

test("batches that skip offsets are not delivered", async () => {
  for (const tailCacheBytes of [0, 4_000_000]) {
    const { broker } = await filled(6, { tailCacheBytes });
    const log = broker.topic("t").log(0);
    const { reader: original } = log;
    let skips = 0;
    const readers = vi.spyOn(log, "reader").mockImplementation((offset) => {
      const reader = original.call(log, offset);
      const next = reader.next.bind(reader);
      // The chunk at offset 2 is never delivered.
      reader.next = async (options) => {
        const chunk = await next(options);
        if (chunk?.nextOffset !== 3) return chunk;
        skips++;
        return next(options);
      };
      return reader;
    });
    const { next } = reader(broker);
    expect([await next(), await next()]).toEqual(["0", "1"]);
    const gap = { code: "OFFSET_GAP", partition: 0, expected: 2, actual: 3 };
    expect(await caught(next())).toMatchObject(gap);
    expect(await caught(broker.fetch({ topic: "t", partition: 0, from: 2, maxBytes: 1 }))).toMatchObject(gap);
    expect(skips).toBe(2);
    readers.mockRestore();
  }
});

test("files that are removed during a read are not damage", async () => {
  const { broker, storage } = await filled(10, { tailCacheBytes: 0 });
  const { next } = reader(broker, { maxBytes: 1 });
  expect(await next()).toBe("0");
  let deleting: Promise<number> | undefined;
  storage.before = async ({ kind, path }) => {
    if (kind !== "read" || !path.endsWith("00000000000000000004.log") || deleting !== undefined) return;
    deleting = broker.deleteRecords("t", 0, 9);
    while ((await broker.describeTopic("t")).partitions[0]!.logStartOffset < 9) await new Promise(setImmediate);
  };
  const seen: string[] = [];
  while (seen.at(-1) !== "9") seen.push(await next());
  expect(seen.slice(0, 3)).toEqual(["1", "2", "3"]);
  expect(seen.slice(-2)).toEqual(["logStartMoved to 9 of 10", "9"]);
  await deleting;
});

/** Lengths of the messages up to the next `caughtUp`. */
async function lengthsToTheEnd(events: AsyncIterator<ConsumeEvent>): Promise<number[]> {
  const lengths: number[] = [];
  for (;;) {
    const event: ConsumeEvent = (await events.next()).value;
    if (event.type === "caughtUp") return lengths;
    if (event.type === "batches") lengths.push(event.batches.length);
  }
}

test.each([0, 64_000_000])(
  "messages are small at the end of the log, and grow while the reader is behind (%d bytes of tail cache)",
  async (tailCacheBytes) => {
    const { broker } = await filled(0, { tailCacheBytes, segmentBytes: 64_000_000 });
    const log = broker.topic("t");
    const much = () => appendOneByOne(log, Array(200).fill("x".repeat(10_000)));
    await much();
    const maxBytes = 1_000_000;
    const events = broker.consume({ topic: "t", partition: 0, maxBytes });
    onTestFinished(async () => {
      await events.return();
    });
    for (let i = 0; i < 2; i++) {
      const lengths = await lengthsToTheEnd(events);
      expect(lengths[0]).toBeLessThanOrEqual(32 * 1024);
      expect(Math.max(...lengths)).toBeGreaterThan(500_000);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(maxBytes);
      const next = lengthsToTheEnd(events);
      await appendOneByOne(log, ["a"]);
      expect(await next).toEqual([expect.any(Number)]);
      await much(); // after the end was reached, the first message is small again
    }
  },
);

test("a reader takes memory from its budget for each read, and more of it before it reads a larger batch", async () => {
  const storage = new HookedStorage();
  const broker = await Broker.open("data", { storage, tailCacheBytes: 0 });
  onTestFinished(() => broker.close());
  await broker.createTopic({ topic: "t", partitions: 1 });
  await appendOneByOne(broker.topic("t"), ["a", "b".repeat(100_000), "c"]);
  let held = 0;
  const asked: [number, number][] = [];
  const tryTake = (wantedBytes: number, leastBytes: number) => {
    asked.push([wantedBytes, leastBytes]);
    const granted = Math.max(leastBytes, Math.min(wantedBytes, 2_000));
    held += granted;
    return granted;
  };
  const budget: ReadBudget = {
    take: async (wantedBytes, leastBytes) => tryTake(wantedBytes, leastBytes),
    tryTake,
    giveBack(bytes) {
      held -= bytes;
    },
  };
  const events = broker.consume({ topic: "t", partition: 0, until: "latest" }, { budget, readAhead: false });
  let count = 0;
  for await (const event of events) {
    if (event.type !== "batches") continue;
    const { batches } = event;
    count++;
    expect(held).toBe(batches.buffer.byteLength); // the buffer may be longer than its batches
    event.release!();
    event.release!();
    expect([held, batches.length]).toEqual([0, 0]);
  }
  expect(count).toBe(3);
  const long = asked.filter(([, least]) => least > 0);
  expect(long).toEqual([[expect.any(Number), expect.any(Number)]]);
  expect(long[0]![1]).toBeGreaterThan(100_000);

  const fetched = await broker.fetch({ topic: "t", partition: 0, maxBytes: 1_000_000 }, { budget });
  expect(held).toBe(fetched.batches.length);
  expect(fetched.nextOffset).toBe(3);
  fetched.release!();
  expect(held).toBe(0);
});

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/**
 * A budget of `totalBytes`, granted in order of the calls. A reader that waits while it holds bytes
 * fails the test.
 */
function strictBudget(totalBytes: number) {
  const { promise: forEver } = Promise.withResolvers<number>();
  const budget = {
    held: 0,
    waits: 0,
    take(wantedBytes: number, leastBytes: number) {
      const taken = budget.tryTake(wantedBytes, leastBytes);
      if (taken > 0) return taken;
      budget.waits++;
      return forEver;
    },
    tryTake(wantedBytes: number, leastBytes: number) {
      const free = totalBytes - budget.held;
      const granted = Math.max(leastBytes, Math.min(wantedBytes, free));
      if (granted <= 0 || (granted > free && budget.held > 0)) return 0;
      budget.held += granted;
      return granted;
    },
    giveBack(bytes: number) {
      budget.held -= bytes;
    },
  };
  return budget;
}

test.each([0, 4_000_000])(
  "a reader that holds memory does not wait for more (%d bytes of tail cache)",
  async (tailCacheBytes) => {
    const { broker } = await filled(0, { tailCacheBytes, segmentBytes: 3_000 });
    await appendOneByOne(
      broker.topic("t"),
      numbers(40).map((n) => `${n}`.padEnd(1_200)),
    );
    const budget = strictBudget(2_000);
    // Each fetch returns only a part of the requested bytes: the records span several segments, and
    // the budget is smaller than the request.
    for (let next = 0; next < 40; ) {
      const result = await broker.fetch({ topic: "t", partition: 0, from: next, maxBytes: 100_000 }, { budget });
      const bases = Array.from(frameBatches(result.batches), ({ baseOffset }) => baseOffset);
      expect(bases).toEqual(numbers(bases.length).map((n) => next + n));
      expect(result.nextOffset).toBe(next + bases.length);
      expect(bases.length).toBeGreaterThan(0);
      expect(budget.held).toBeGreaterThanOrEqual(result.batches.length);
      next = result.nextOffset;
      result.release!();
      expect(budget.held).toBe(0);
    }
    const seen: number[] = [];
    for await (const event of broker.consume({ topic: "t", partition: 0, until: "latest" }, { budget })) {
      if (event.type !== "batches") continue;
      seen.push(...Array.from(frameBatches(event.batches), ({ baseOffset }) => baseOffset));
      await new Promise(setImmediate); // the read ahead has completed, or has found no room
      event.release!();
    }
    expect(seen).toEqual(numbers(40));
    expect([budget.held, budget.waits]).toEqual([0, 0]);
  },
);

test("a reader that is stopped returns the memory of its read-ahead", async () => {
  const { broker } = await filled(20, { tailCacheBytes: 0 });
  const budget = strictBudget(100_000);
  const events = broker.consume({ topic: "t", partition: 0, maxBytes: 1 }, { budget });
  for (let i = 0; i < 3; i++) ((await events.next()).value as BatchesEvent).release!();
  await events.return();
  expect(budget.held).toBe(0);
});

test.each([0, 4_000_000])(
  "batches are not modified after they were delivered (%d bytes of tail cache)",
  async (tailCacheBytes) => {
    const { broker } = await filled(0, { tailCacheBytes, segmentBytes: 100_000 });
    // Some batches are longer than any read, others shorter: each is read on its own.
    const sizes = numbers(30).map((n) => (n % 3 === 0 ? 70_000 : 900));
    await appendOneByOne(
      broker.topic("t"),
      sizes.map((size, n) => `${n}`.padEnd(size)),
    );
    for (const maxBytes of [1_000, 30_000, 200_000]) {
      const kept: Uint8Array[] = [];
      for await (const event of broker.consume({ topic: "t", partition: 0, until: "latest", maxBytes })) {
        if (event.type === "batches") kept.push(event.batches);
      }
      const values = kept.flatMap((batches) =>
        Array.from(frameBatches(batches), (batch) =>
          Buffer.from([...batch.verify()][0]!.value)
            .toString()
            .trimEnd(),
        ),
      );
      expect(values).toEqual(numbers(30).map(String));
    }
  },
);
