import { describe, expect, onTestFinished, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { type Consumer, connect, FencedMemberError, text } from "../index.js";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A group member that owns one partition with four batches of one record each. */
async function start() {
  const api = new FakeLogApi();
  const client = connect(api);
  await api.createTopic({ topic: "t", partitions: 1 });
  for (let i = 0; i < 4; i++) await client.producer("t").send({ value: `${i}` });
  api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 0]]);
  const consumer = client.consumer({ group: "g", topics: ["t"], value: text() });
  onTestFinished(() => client.close({ timeoutMs: 0 }));
  return { api, client, consumer };
}

/** A close that waits for its caller would exceed the time limit of the test. */
const FOR_EVER = { timeoutMs: 1_000_000 };

type Kind = "records" | "chunks" | "batches";

async function loop(kind: Kind, consumer: Consumer<string>, body: (offset: number) => Promise<void>) {
  if (kind === "records") for await (const { offset } of consumer) await body(offset);
  else if (kind === "chunks") for await (const [record] of consumer.chunks()) await body(record!.offset);
  else for await (const { baseOffset } of consumer.batches()) await body(baseOffset);
}

describe("close awaited in the body of a loop", () => {
  const kinds: Kind[] = ["records", "chunks", "batches"];
  const cases = kinds.flatMap((kind) =>
    [0, 2].flatMap((at) =>
      [false, true].flatMap((isLater) =>
        (["consumer", "client"] as const).map((whose) => ({ kind, at, isLater, whose })),
      ),
    ),
  );

  test.each(cases)(
    "by $kind, at $at, after an await: $isLater, of the $whose",
    async ({ kind, at, isLater, whose }) => {
      const { api, client, consumer } = await start();
      const seen: number[] = [];
      await loop(kind, consumer, async (offset) => {
        seen.push(offset);
        if (offset !== at) return;
        if (isLater) await sleep(1);
        await (whose === "consumer" ? consumer : client).close(FOR_EVER);
        expect(api.groups.memberships[0]!.said).toEqual(["leave"]);
      });
      expect(seen).toEqual(Array.from({ length: at + 1 }, (_, i) => i));
      expect(api.groups.committed).toEqual(at === 0 ? {} : { 0: at }); // the record being processed is delivered again
    },
  );

  test("with what was committed before, nothing comes again", async () => {
    const { api, consumer } = await start();
    for await (const _ of consumer) {
      await consumer.commit();
      await consumer.close(FOR_EVER);
    }
    expect(api.groups.committed).toEqual({ 0: 1 });
  });

  test("in a loop within, around one, and after one", async () => {
    const { client, consumer: outer } = await start();
    for await (const _ of outer) {
      for (let i = 0; i < 2; i++) {
        const inner = client.consumer({ group: "h", topics: ["t"], value: text() });
        for await (const { offset } of inner) if (offset === 2) break;
      }
      const inner = client.consumer({ group: "h", topics: ["t"], value: text() });
      for await (const _ of inner) await Promise.all([outer.close(FOR_EVER), inner.close(FOR_EVER)]);
    }
  });

  test("of an iterator that is asked by hand, or through a generator", async () => {
    const { client, consumer } = await start();
    const records = consumer[Symbol.asyncIterator]();
    const { value } = await records.next();
    expect(value!.offset).toBe(0);
    await consumer.close(FOR_EVER);
    const other = client.consumer({ group: "g", topics: ["t"], value: text() });
    async function* offsets() {
      for await (const { offset } of other) yield offset;
    }
    for await (const offset of offsets()) if (offset === 1) await other.close(FOR_EVER);
  });

  test.each([0, 1])("at %i of a loop that is behind one generator or two", async (at) => {
    const { api, consumer } = await start();
    async function* offsets() {
      for await (const { offset } of consumer) yield offset;
    }
    async function* evenLater() {
      yield* offsets();
    }
    const loopOver = async (through: AsyncIterable<number>) => {
      for await (const offset of through) {
        if (offset !== at) continue;
        await sleep(1);
        await Promise.all([sleep(1).then(() => {}), (async () => consumer.close(FOR_EVER))()]);
      }
    };
    await loopOver(evenLater());
    expect(api.groups.committed).toEqual(at === 0 ? {} : { 0: at });
  });
});

describe("close awaited in a hook", () => {
  const hooks = ["onAssigned", "onRevoked", "onLost"] as const;
  const cases = hooks.flatMap((hook) => (["consumer", "client"] as const).map((whose) => ({ hook, whose })));

  test.each(cases)("$hook, of the $whose", async ({ hook, whose }) => {
    const { api, client } = await start();
    const isClosed = Promise.withResolvers<void>();
    const close = async () => {
      await sleep(1);
      await (whose === "consumer" ? consumer : client).close(FOR_EVER);
      isClosed.resolve();
    };
    const consumer = client.consumer({ group: "g", topics: ["t"], [hook]: close });
    const running = consumer.run({
      eachRecord() {
        const [membership] = api.groups.memberships;
        if (hook === "onRevoked") membership!.assigned(2, []);
        if (hook === "onLost") membership!.fail(new FencedMemberError("the member is out"));
      },
    });
    await Promise.all([isClosed.promise, running]);
    if (hook !== "onLost") expect(api.groups.memberships[0]!.said).toContain("leave");
  });
});

describe("close from outside of a loop", () => {
  test.each([0, 2])(
    "waits for what is in hand, at %i, whoever began the loop and whatever it did since",
    async (at) => {
      const { api, consumer } = await start();
      const asked = Promise.withResolvers<void>();
      const closes = [asked.promise.then(() => consumer.close())];
      const running = loop("records", consumer, async (offset) => {
        if (offset !== at) return;
        asked.resolve();
        await sleep(20);
        expect(api.groups.memberships[0]!.said).toEqual([]);
      });
      closes.push(asked.promise.then(() => consumer.close())); // in the turn of the event loop in which the iteration started
      await Promise.resolve();
      closes.push(asked.promise.then(() => consumer.close()));
      await running;
      await Promise.all(closes);
      expect(api.groups.committed).toEqual({ 0: at + 1 });
    },
  );

  test("waits for what is in hand where a timer closes that the body started", async () => {
    const { api, consumer } = await start();
    let closed: Promise<void> | undefined;
    await loop("records", consumer, async () => {
      setTimeout(() => (closed = consumer.close()), 1);
      await sleep(20);
      expect(api.groups.memberships[0]!.said).toEqual([]);
    });
    await closed;
    expect(api.groups.committed).toEqual({ 0: 1 });
  });

  test("waits for what is in hand where another loop of the same function closes", async () => {
    const { api, client, consumer } = await start();
    const other = client.consumer({ group: "h", topics: ["t"], value: text() });
    const begun = Promise.withResolvers<void>();
    const isDone = { first: false };
    const first = async () => {
      begun.resolve();
      await sleep(20);
      isDone.first = true;
    };
    const second = async () => {
      await begun.promise;
      await consumer.close();
      expect(isDone.first).toBe(true);
      await other.close();
    };
    await Promise.all([loop("records", consumer, first), loop("records", other, second)]);
    expect(api.groups.committed).toEqual({ 0: 1 });
  });
});
