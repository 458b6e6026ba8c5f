import { setImmediate as turn } from "node:timers/promises";
import { FencedMemberError } from "@logstore/codec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { connect, json, type LogClient, type RecordContext, type RunOptions, text } from "../index.js";

type Run = RunOptions<string, string>;

let api: FakeLogApi;
let client: LogClient;
let abort: AbortController;
const runs: Promise<void>[] = [];

beforeEach(async () => {
  api = new FakeLogApi();
  client = connect(api);
  abort = new AbortController();
  await api.createTopic({ topic: "t", partitions: 2 });
  api.groups.onJoin = (one) => one.joined().assigned(1, [[0, 0]]);
});

afterEach(async () => {
  abort.abort();
  await Promise.allSettled(runs.splice(0));
});

/** Appends records, each given as "key:value", or ":value" without a key. */
async function fill(...records: string[]): Promise<void> {
  const producer = client.producer("t");
  const sent = records.map((record) => {
    const colon = record.indexOf(":");
    return producer.send({ key: record.slice(0, colon) || null, value: record.slice(colon + 1), partition: 0 });
  });
  await Promise.all(sent);
}

function run(eachRecord: Run["eachRecord"], options: Partial<Run> = {}) {
  const consumer = client.consumer({ group: "g", topics: ["t"], key: text(), value: text(), commitIntervalMs: 1 });
  const running = consumer.run({ eachRecord, signal: abort.signal, ...options });
  runs.push(running);
  running.catch(() => {});
  return { consumer, running };
}

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Holds each handler until the test releases it. */
class Work {
  /** Values in the order in which their handlers were called. */
  readonly begun: string[] = [];
  readonly contexts = new Map<string, RecordContext>();
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();

  readonly eachRecord: Run["eachRecord"] = async ({ value }, context) => {
    this.begun.push(value);
    this.contexts.set(value, context);
    const end = Promise.withResolvers<void>();
    this.#ends.set(value, end);
    await end.promise;
  };

  finish(...values: string[]): void {
    for (const value of values) this.#ends.get(value)!.resolve();
  }

  fail(value: string): void {
    this.#ends.get(value)!.reject(new Error(`${value} failed`));
  }
}

describe("order and commits", () => {
  test("keys side by side, each in order; records without a key all at once", async () => {
    await fill("a:1", "a:2", "b:3", ":4", ":5", "b:6");
    const work = new Work();
    run(work.eachRecord);
    await eventually(() => work.begun.length === 4);
    await turn();
    expect(work.begun).toEqual(["1", "3", "4", "5"]);
    work.finish("3");
    await eventually(() => work.begun.length === 5);
    expect(work.begun[4]).toBe("6");
    work.finish("1");
    await eventually(() => work.begun.length === 6);
    expect(work.begun[5]).toBe("2");
    work.finish("2", "4", "5", "6");
    await eventually(() => api.groups.committed[0] === 6);
  });

  test("only what everything before is done, too, is committed", async () => {
    await fill(":0", ":1", ":2", ":3");
    const work = new Work();
    run(work.eachRecord);
    await eventually(() => work.begun.length === 4);
    work.finish("1", "3");
    await turn();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(api.groups.committed).toEqual({});
    work.finish("0");
    await eventually(() => api.groups.committed[0] === 2);
    work.finish("2");
    await eventually(() => api.groups.committed[0] === 4);
  });

  test("no more at a time than it may, and no more in memory", async () => {
    // Each record is in a batch and an event of its own.
    for (let i = 0; i < 30; i++) await fill(`:${i}${"x".repeat(300_000)}`);
    let events = 0;
    api.onEvent = (event) => {
      events++;
      return event;
    };
    const work = new Work();
    const { consumer } = run(work.eachRecord, { concurrency: 3, maxInFlightRecords: 10 });
    await eventually(() => work.begun.length === 3 && events >= 10);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(work.begun).toHaveLength(3);
    expect(events).toBeLessThanOrEqual(12); // one event is read ahead
    expect(consumer.position("t", 0)).toBe(3);
    work.finish(work.begun[0]!);
    await eventually(() => consumer.position("t", 0) === 4);
    abort.abort();
    work.finish(...work.begun);
  });

  test("bytes count too", async () => {
    await fill(...Array.from({ length: 10 }, () => `:${"x".repeat(1_000)}`));
    const { consumer } = run(() => new Promise((resolve) => abort.signal.addEventListener("abort", () => resolve())), {
      maxInFlightBytes: 2_500,
    });
    await eventually(() => (consumer.position("t", 0) ?? 0) >= 3);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(consumer.position("t", 0)).toBe(3);
  });

  test("what waits behind its key keeps nothing else of its batch in memory", async () => {
    await fill("a:0", "a:1", `b:${"x".repeat(100_000)}`);
    const end = Promise.withResolvers<void>();
    const kept: number[] = [];
    let isTakenIn = false;
    const consumer = client.consumer({ group: "g", topics: ["t"] });
    const eachRecord: RunOptions<Uint8Array, Uint8Array>["eachRecord"] = async ({ offset, value }) => {
      if (offset === 2) isTakenIn = true;
      if (offset === 0) await end.promise;
      if (offset === 1) kept.push(value.buffer.byteLength);
    };
    runs.push(consumer.run({ eachRecord, signal: abort.signal }));
    await eventually(() => isTakenIn);
    end.resolve();
    await eventually(() => kept.length === 1);
    expect(kept[0]).toBeLessThan(10_000);
  });

  test("its end waits for what is worked on, begins nothing more, and leaves the group", async () => {
    await fill("a:0", "a:1", "b:2");
    const work = new Work();
    const { running } = run(work.eachRecord);
    await eventually(() => work.begun.length === 2);
    abort.abort();
    work.finish("0");
    await turn();
    expect(api.groups.memberships[0]!.said).toEqual([]);
    work.finish("2");
    await running;
    expect(work.begun).toEqual(["0", "2"]);
    expect(api.groups.committed).toEqual({ 0: 1 });
    expect(api.groups.memberships[0]!.said).toEqual(["leave"]);
  });
});

describe("partitions that go", () => {
  test("a partition is given up when what is worked on is done; what waits and what is to be tried again is not", async () => {
    await fill("a:0", "a:1", "b:2", "c:3");
    const work = new Work();
    run(work.eachRecord, { retry: { initialBackoffMs: 60_000, maxBackoffMs: 60_000 } });
    await eventually(() => work.begun.length === 3);
    work.fail("2");
    await turn();
    api.groups.memberships[0]!.assigned(2, [], [0]);
    await turn();
    work.finish("0");
    await turn();
    expect(api.groups.memberships[0]!.said).toEqual([]);
    work.finish("3");
    await eventually(() => api.groups.memberships[0]!.said.length === 1);
    expect(work.begun).toEqual(["0", "2", "3"]);
    expect(api.groups.committed).toEqual({ 0: 1 });
    expect(api.topics.has("t.g.parked")).toBe(false);
  });

  test("when one is lost, whoever works on it is told, and it does not count", async () => {
    await fill("a:0", "a:1");
    const work = new Work();
    run(work.eachRecord);
    await eventually(() => work.begun.length === 1);
    api.groups.onJoin = (one) => one.joined("m2", 1).assigned(1, [[0, 0]]);
    api.groups.memberships[0]!.fail(new FencedMemberError("too late"));
    await eventually(() => work.contexts.get("0")!.signal.aborted);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(work.begun).toEqual(["0"]); // the record is read again when no handler is processing it
    work.finish("0");
    await eventually(() => work.begun.length === 2);
    expect(work.begun).toEqual(["0", "0"]);
    work.finish("0");
    await eventually(() => work.begun.length === 3);
    expect(api.groups.commits.every(({ memberId }) => memberId === "m2")).toBe(true);
    work.finish("1");
  });

  test("after a loss, what is still worked on holds up its own partition only", async () => {
    await fill("a:0");
    await client.producer("t").send({ key: "b", value: "1", partition: 1 });
    const work = new Work();
    api.groups.onJoin = (one) =>
      one.joined(`m${api.groups.memberships.length}`, 1).assigned(1, [
        [0, 0],
        [1, 0],
      ]);
    run(work.eachRecord);
    await eventually(() => work.begun.length === 2);
    work.finish("1");
    await turn();
    api.groups.memberships[0]!.fail(new FencedMemberError("too late"));
    await eventually(() => work.begun.length === 3);
    expect(work.begun.toSorted()).toEqual(["0", "1", "1"]);
    work.finish("0", "1");
    await eventually(() => work.begun.length === 4);
    expect(work.begun.at(-1)).toBe("0");
    work.finish("0");
  });

  test("a reset goes on there, each key still in order", async () => {
    await fill("a:0", "a:1", "a:2");
    const work = new Work();
    run(work.eachRecord);
    await eventually(() => work.begun.length === 1);
    work.finish("0");
    await eventually(() => work.begun.length === 2);
    api.groups.memberships[0]!.reset(2, 0, 0).assigned(2, [[0, 0]]);
    await eventually(() => work.contexts.get("1")!.signal.aborted);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(work.begun).toEqual(["0", "1"]); // the old handler is still running
    work.finish("1");
    await eventually(() => work.begun.length === 3);
    expect(work.begun[2]).toBe("0");
    work.finish("0");
    await eventually(() => work.begun.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(api.groups.committed).toEqual({ 0: 1 }); // the second record has not been processed again yet
    work.finish("1");
    abort.abort();
  });
});

describe("failures", () => {
  const quickly = { attempts: 3, initialBackoffMs: 1, maxBackoffMs: 1 };

  test("a record is tried again, then put aside before it is committed; the log may not be there at first", async () => {
    await fill("a:0", "b:1");
    const attempts: number[] = [];
    let refused = 1;
    api.onProduce = (request, append) => {
      if (request.topic !== "t.g.parked") return append();
      expect(request.durability).toBe("flushed");
      expect(api.groups.committed[0] ?? 0).toBe(0);
      if (refused-- > 0) throw Object.assign(new Error("away"), { code: "UNAVAILABLE" });
      return append();
    };
    run(
      ({ key }, { attempt }) => {
        if (key !== "a") return;
        attempts.push(attempt);
        throw new Error("cannot");
      },
      { retry: quickly },
    );
    await eventually(() => api.groups.committed[0] === 2);
    expect(attempts).toEqual([1, 2, 3]);
    expect(api.values("t.g.parked")).toEqual(["0"]);
  });

  test("a record is flushed when it is put aside, also where the server does not say what it offers", async () => {
    api.durabilities = [];
    await fill("a:0");
    run(() => Promise.reject(new Error("cannot")), { retry: quickly });
    await eventually(() => api.groups.committed[0] === 1);
    expect(api.produced.map(({ topic, durability }) => [topic, durability])).toEqual([
      ["t", undefined],
      ["t.g.parked", "flushed"],
    ]);
  });

  test("while the log is away a record is not put aside, and stops nothing; the run's end does not wait for it", async () => {
    await fill("a:0", "a:1");
    let refused = 0;
    let isAway = true;
    const { describeTopic } = api;
    api.describeTopic = async (topic) => {
      if (topic === "t.g.parked" && isAway) {
        refused++;
        throw Object.assign(new Error("away"), { code: "UNAVAILABLE" });
      }
      return describeTopic.call(api, topic);
    };
    const fail = () => {
      throw new Error("cannot");
    };
    const { running } = run(fail, { retry: { attempts: 1 } });
    await eventually(() => refused === 2);
    expect(api.groups.committed[0] ?? 0).toBe(0);
    abort.abort();
    await running;
    expect(api.groups.committed[0] ?? 0).toBe(0);
    abort = new AbortController();
    run(fail, { retry: { attempts: 1 } });
    await eventually(() => refused === 4);
    isAway = false;
    await eventually(() => api.groups.committed[0] === 2);
    expect(api.values("t.g.parked")).toEqual(["0", "1"]);
  });

  test("what fails for the last time when it is somebody else's already is not put aside", async () => {
    await fill("a:0");
    const work = new Work();
    run(work.eachRecord, { retry: { attempts: 1 } });
    await eventually(() => work.begun.length === 1);
    api.groups.onJoin = (one) => one.joined("m2", 1).assigned(1, []);
    api.groups.memberships[0]!.fail(new FencedMemberError("too late"));
    await eventually(() => work.contexts.get("0")!.signal.aborted);
    work.fail("0");
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(api.topics.has("t.g.parked")).toBe(false);
    expect(api.groups.commits).toEqual([]);
  });

  test("a value that does not fit is put aside as it is, at once", async () => {
    await fill("a:{", 'a:{"n":1}');
    const seen: unknown[] = [];
    const consumer = client.consumer({ group: "g", topics: ["t"], value: json<{ n: number }>(), commitIntervalMs: 1 });
    const options = { eachRecord: ({ value }: { value: unknown }) => void seen.push(value), signal: abort.signal };
    runs.push(consumer.run(options));
    await eventually(() => api.groups.committed[0] === 2);
    expect(seen).toEqual([{ n: 1 }]);
    expect(api.values("t.g.parked")).toEqual(["{"]);
    const parked = await Array.fromAsync(
      client.reader({ assign: { "t.g.parked": [0] }, until: "latest" }),
      ({ headers }) => Object.fromEntries(headers.map(({ name, value }) => [name, Buffer.from(value).toString()])),
    );
    expect(parked).toEqual([
      {
        "logstore-parked-topic": "t",
        "logstore-parked-partition": "0",
        "logstore-parked-offset": "0",
        "logstore-parked-reason": expect.stringContaining("cannot be deserialized"),
        "logstore-parked-attempts": "1",
        "logstore-parked-time": expect.stringMatching(/^\d{13}$/),
      },
    ]);
  });

  test("where it cannot be put aside the run fails, and the record is not committed", async () => {
    await fill("a:0", "a:1");
    api.createTopic = () => Promise.reject(Object.assign(new Error("not allowed"), { code: "PERMISSION_DENIED" }));
    const { running } = run(
      () => {
        throw new Error("cannot");
      },
      { retry: quickly },
    );
    await expect(running).rejects.toThrow("not allowed");
    expect(api.groups.committed).toEqual({});
  });

  test("a name that leaves no room for the parked topic's is refused at once, unless nothing is to be parked", async () => {
    const consumer = client.consumer({ group: "g".repeat(243), topics: ["t"] });
    const eachRecord = () => {};
    await expect(consumer.run({ eachRecord })).rejects.toMatchObject({ code: "INVALID_ARGUMENT", expected: 249 });
    expect(api.groups.memberships).toEqual([]);
    await consumer.run({ eachRecord, park: false, signal: AbortSignal.abort() });
  });

  test.each([{ concurrency: 0 }, { maxInFlightRecords: Number.NaN }, { retry: { attempts: 0 } }])(
    "%o makes no sense",
    async (options) => {
      const { running } = run(() => {}, options);
      await expect(running).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    },
  );
});

describe("pausing", () => {
  const keyed = Array.from({ length: 200 }, (_, i) => `k${i % 20}:${i}`);

  test("a paused partition begins nothing, its lag stays known, and it goes on in order when it is resumed", async () => {
    await fill(...keyed);
    const begun: string[] = [];
    const { consumer } = run(
      ({ value }) => {
        begun.push(value);
        if (begun.length === 10) consumer.pause("t", 0);
      },
      { concurrency: 1 },
    );
    await eventually(() => begun.length === 10);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(begun).toHaveLength(10);
    expect([consumer.position("t", 0), consumer.lag("t", 0)]).toEqual([10, 190]);
    consumer.resume("t", 0);
    await eventually(() => begun.length === 200);
    expect(begun.toSorted((a, b) => +a - +b)).toEqual(keyed.map((record) => record.split(":")[1]));
    for (let key = 0; key < 20; key++) {
      const ofKey = begun.map(Number).filter((value) => value % 20 === key);
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
    }
    await eventually(() => api.groups.committed[0] === 200);
  });

  test("it takes no room from the others", async () => {
    api.groups.onJoin = (one) =>
      one.joined().assigned(1, [
        [0, 0],
        [1, 0],
      ]);
    await fill(...keyed);
    let others = 0;
    let isPaused = false;
    const { consumer } = run(
      ({ partition }) => {
        if (partition === 1) others++;
        else if (!isPaused) {
          consumer.pause("t", 0);
          isPaused = true;
        }
      },
      { concurrency: 1, maxInFlightRecords: 5 },
    );
    await eventually(() => isPaused);
    await Promise.all(Array.from({ length: 20 }, () => client.producer("t").send({ value: "x", partition: 1 })));
    await eventually(() => others === 20);
    await consumer.close();
  });

  test("the lag of a paused partition is asked for", async () => {
    await fill("a:0");
    const { consumer } = run(() => {});
    await eventually(() => api.groups.committed[0] === 1);
    consumer.pause("t", 0);
    await fill("a:1", "a:2");
    consumer.resume("t", 0);
    consumer.pause("t", 0);
    await eventually(() => consumer.lag("t", 0) === 2);
    expect(consumer.position("t", 0)).toBe(1);
  });
});

describe("manual commits", () => {
  test("the record whose handler commits is committed, those of others are not", async () => {
    await fill("a:0", "b:1", "c:2");
    const consumer = client.consumer({ group: "g", topics: ["t"], key: text(), value: text(), commit: "manual" });
    const work = new Work();
    const running = consumer.run({
      signal: abort.signal,
      async eachRecord(record, context) {
        await work.eachRecord(record, context);
        await consumer.commit();
      },
    });
    runs.push(running);
    await eventually(() => work.begun.length === 3);
    work.finish("1");
    await turn();
    await consumer.commit();
    expect(api.groups.commits).toEqual([]);
    work.finish("0");
    await eventually(() => api.groups.committed[0] === 2); // record 1 was processed before
    await consumer.commit();
    expect(api.groups.committed).toEqual({ 0: 2 });
    work.finish("2");
    await eventually(() => api.groups.committed[0] === 3);
  });
});

describe("the end does not wait for ever", () => {
  const hang = new Promise<void>(() => {});

  test("a handler that hangs is told, and given up in time; what others did is committed, and the group is left", async () => {
    await fill("a:0", "b:1");
    const work = new Work();
    const { consumer, running } = run((record, context) =>
      record.value === "1" ? work.eachRecord(record, context) : void work.begun.push(record.value),
    );
    await eventually(() => work.begun.length === 2);
    const closed = consumer.close({ timeoutMs: 100 });
    await turn();
    expect(work.contexts.get("1")!.signal.aborted).toBe(true);
    await closed;
    await running;
    expect(api.groups.committed).toEqual({ 0: 1 });
    expect(api.groups.memberships[0]!.said).toEqual(["leave"]);
    work.finish("1");
    await turn();
    expect(api.groups.committed).toEqual({ 0: 1 });
  });

  test("a record whose handler fails when it is told is neither tried again nor put aside", async () => {
    await fill("a:0");
    let calls = 0;
    const { consumer, running } = run(
      (_, { signal }) => {
        calls++;
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
      { retry: { attempts: 1 } },
    );
    await eventually(() => calls === 1);
    await consumer.close();
    await running;
    expect([calls, [...api.topics.keys()]]).toEqual([1, ["t"]]);
    expect(api.groups.committed).toEqual({});
  });

  test("a handler may wait for the close itself", async () => {
    await fill("a:0", "b:1");
    const consumer = client.consumer({ group: "g", topics: ["t"], value: text(), commit: "manual" });
    let isClosed = false;
    const running = consumer.run({
      async eachRecord({ value }) {
        if (value !== "1") return;
        await consumer.close({ timeoutMs: 1_000_000 }); // a close that waited for its caller would take that long
        isClosed = true;
      },
    });
    await running;
    await eventually(() => isClosed);
    expect(api.groups.memberships[0]!.said).toEqual(["leave"]);
  });

  test("nor for a hook, a commit or the group's answer", async () => {
    await fill("a:0");
    for (const hung of ["hook", "commit", "leave"] as const) {
      api.groups.onJoin = (one) => {
        one.joined().assigned(1, [[0, 0]]);
        if (hung === "leave") one.left = hang;
      };
      api.groups.onCommit = hung === "commit" ? () => hang.then(() => ({})) : () => ({});
      let count = 0;
      const onRevoked = hung === "hook" ? () => hang : () => {};
      const consumer = client.consumer({ group: "g", topics: ["t"], onRevoked });
      const running = consumer.run({ eachRecord: () => void count++ });
      await eventually(() => count === 1);
      await client.close({ timeoutMs: 50 });
      await running;
      expect(api.groups.memberships.at(-1)!.said).toEqual(["leave"]);
      client = connect(api);
    }
  });

  test("with the log away while records are put aside", async () => {
    await fill("a:0", "b:1");
    api.onProduce = () => hang as never;
    const { running } = run(() => Promise.reject(new Error("poison")), { retry: { attempts: 1 } });
    await eventually(() => api.topics.size === 2);
    await turn();
    await client.close({ timeoutMs: 100 });
    await running;
    expect(api.groups.committed).toEqual({});
  });
});

describe("whatever a handler throws is put aside", () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const throwing = Object.defineProperty(new Error(), "message", {
    get() {
      throw new Error("gotcha");
    },
  });
  const things: [string, unknown, string][] = [
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["an object without prototype", Object.create(null), "{}"],
    ["an error whose message is an object", Object.assign(new Error(), { message: { detail: 1 } }), "Error"],
    ["an error without a message", Object.assign(new Error(), { message: undefined }), "Error"],
    ["an error whose message throws", throwing, "something was thrown that has no text"],
    ["a revoked proxy", revoked.proxy, "something was thrown that has no text"],
    ["an object with a message", { message: "mine" }, "mine"],
    ["a long message", new Error("x".repeat(1_000_000)), "x".repeat(1_000)],
    ["a lone surrogate", new Error("\ud800"), "\ufffd"],
  ];

  test.each(things)("%s", async (_, thrown, reason) => {
    await fill("bad:bad", "good:good");
    let isGood = false;
    const { consumer } = run(
      ({ value }) => {
        if (value === "bad") throw thrown;
        isGood = true;
      },
      { retry: { attempts: 2, initialBackoffMs: 1 } },
    );
    await eventually(() => api.groups.committed[0] === 2);
    expect(isGood).toBe(true);
    const [record] = [...api.partition("t.g.parked", 0).batches[0]!];
    const header = record!.headers.find(({ name }) => name === "logstore-parked-reason");
    expect(Buffer.from(header!.value).toString()).toBe(reason);
    await consumer.close();
  });
});
