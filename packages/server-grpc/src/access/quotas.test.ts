import { Broker } from "@logstore/core";
import type { LogApi, ProduceRequest } from "@logstore/protocol";
import { expect, onTestFinished, test } from "vitest";
import { sealed } from "../../test/fake-log.js";
import { Caller } from "./caller.js";
import { GuardedLog } from "./guarded-log.js";
import { type Clock, Quotas } from "./quotas.js";
import { Rules } from "./rules.js";

/** A clock that advances only on request. */
class FakeClock implements Clock {
  #time = 0;
  readonly #sleeping = new Set<{ readonly until: number; readonly wake: () => void }>();
  now = () => this.#time;

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { until: this.#time + ms, wake: resolve };
      this.#sleeping.add(sleeper);
      signal.addEventListener("abort", () => resolve());
    });
  }

  /** Advances the time as if timers were late. */
  passUnnoticed(ms: number): void {
    this.#time += ms;
  }

  async pass(ms: number): Promise<void> {
    this.#time += ms;
    for (const sleeper of this.#sleeping) {
      if (sleeper.until > this.#time) continue;
      this.#sleeping.delete(sleeper);
      sleeper.wake();
    }
    await new Promise(setImmediate);
  }
}

const MAX_WAITING_BYTES = 4_000;

function setUp(quota: object, api: Partial<LogApi>, isStreaming = true) {
  const clock = new FakeClock();
  const quotas = new Quotas([{ principals: ["*"], ...quota }], MAX_WAITING_BYTES, clock);
  const grants = new Rules([{ principals: ["*"], operations: ["*"], topics: ["*"] }]).grantsOf("a");
  const callers = Array.from({ length: 2 }, () => {
    const facts = {
      address: "10.0.0.1",
      peer: "p",
      method: "/m",
      isStreaming,
      credentials: { authorization: [], certificate: undefined },
    };
    const standing = { identity: { principal: "a" }, grants, quota: quotas.of("a", "::1") };
    return new Caller({ ...facts, end: () => {} }, standing, () => {});
  });
  const logs = callers.map((caller) => new GuardedLog(api as LogApi, caller));
  return { clock, quotas, log: logs[0]!, otherLog: logs[1]!, caller: callers[0]! };
}

const request = (partition: number, bytes: number) => ({ topic: "t", partition, batches: new Uint8Array(bytes) });

test("appends beyond the quota wait, in order, and with them other appends of the principal", async () => {
  const started: number[] = [];
  const produce = async ({ partition }: ProduceRequest) => void started.push(partition);
  const api = { produce: produce as unknown as LogApi["produce"] };
  const { clock, log, otherLog } = setUp({ produceBytesPerSecond: 1_000 }, api);
  const acks = [1, 2, 3].map((n) => log.produce(request(n, 1_500)));
  expect(started).toEqual([1]);
  acks.push(otherLog.produce(request(4, 1)));
  await clock.pass(500);
  expect(started).toEqual([1]);
  await clock.pass(1);
  // The longest waiting append proceeds when the debt is paid, and incurs the next debt.
  expect(started).toEqual([1, 2]);
  acks.push(log.produce(request(5, 1)));
  await clock.pass(1_490);
  expect(started).toEqual([1, 2]);
  for (let i = 0; i < 40; i++) await clock.pass(100);
  expect(started.filter((n) => n !== 4)).toEqual([1, 2, 3, 5]);
  expect(started).toContain(4);
  await Promise.all(acks);
});

test("an append does not overtake waiting ones, even if their waiting time has passed", async () => {
  const started: number[] = [];
  const produce = async ({ partition }: ProduceRequest) => void started.push(partition);
  const { clock, log } = setUp({ produceBytesPerSecond: 1_000 }, { produce: produce as unknown as LogApi["produce"] });
  const acks = [log.produce(request(1, 1_500)), log.produce(request(2, 1))];
  await clock.pass(0);
  clock.passUnnoticed(60_000);
  acks.push(log.produce(request(3, 1)));
  await clock.pass(0);
  await Promise.all(acks);
  expect(started).toEqual([1, 2, 3]);
});

test("an append whose call ends while it waits is never made", async () => {
  let started = 0;
  const produce = async () => void started++;
  const { clock, log, caller } = setUp(
    { produceBytesPerSecond: 10 },
    { produce: produce as unknown as LogApi["produce"] },
  );
  await log.produce(request(0, 1_000));
  const waiting = log.produce(request(0, 1));
  caller.end();
  await expect(waiting).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await clock.pass(1_000_000);
  expect(started).toBe(1);
});

test("the waiting appends of all streams of a principal are limited; further ones are refused", async () => {
  const produce = (async () => ({})) as unknown as LogApi["produce"];
  const { clock, log, otherLog, caller } = setUp({ produceBytesPerSecond: 1_000 }, { produce });
  await log.produce(request(0, 5_000));
  const ended = log.produce(request(0, 3_000));
  const waiting = otherLog.produce(request(0, 1_000));
  const refused = { code: "QUOTA_EXCEEDED", retryAfterMs: expect.closeTo(4_000, -1) };
  await expect(log.produce(request(0, 1))).rejects.toMatchObject(refused);
  await expect(otherLog.produce(request(0, 1))).rejects.toMatchObject(refused);
  // An append that no longer waits makes room, whether or not it was made.
  caller.end();
  await expect(ended).rejects.toMatchObject({ code: "UNAVAILABLE" });
  const others = otherLog.produce(request(0, 3_000));
  await expect(otherLog.produce(request(0, 1))).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
  await clock.pass(4_001);
  await waiting;
  await clock.pass(60_000);
  await others;
});

test("a single append or fetch beyond the quota is refused, with a retry time", async () => {
  const api = {
    produce: (async () => ({})) as unknown as LogApi["produce"],
    fetch: (async () => ({ batches: new Uint8Array(3_000) })) as unknown as LogApi["fetch"],
  };
  const { clock, log } = setUp({ produceBytesPerSecond: 1_000, consumeBytesPerSecond: 1_000 }, api, false);
  await log.produce(request(0, 3_000));
  await log.fetch({ topic: "t", partition: 0 });
  const refused = { code: "QUOTA_EXCEEDED", retryAfterMs: expect.closeTo(2_000, -1) };
  await expect(log.produce(request(0, 1))).rejects.toMatchObject(refused);
  await expect(log.fetch({ topic: "t", partition: 0 })).rejects.toMatchObject(refused);
  await clock.pass(2_001);
  await log.produce(request(0, 1));
  await log.fetch({ topic: "t", partition: 0 });
});

test("a reader gets its next message when the quota allows it, also if it reads on another stream", async () => {
  async function* events() {
    for (;;) yield { type: "batches", batches: new Uint8Array(2_000) };
  }
  const api = { consume: events as unknown as LogApi["consume"] };
  const { clock, log, otherLog } = setUp({ consumeBytesPerSecond: 1_000 }, api);
  let received = 0;
  const read = async (from: GuardedLog) => {
    for await (const _ of from.consume({ topic: "t", partition: 0 })) received++;
  };
  void read(log);
  await clock.pass(0);
  expect(received).toBe(1);
  void read(otherLog);
  await clock.pass(1_000);
  expect(received).toBe(1);
  await clock.pass(1);
  expect(received).toBe(3);
  await clock.pass(2_990);
  expect(received).toBe(3);
});

/** A partition of some MB, and a quota of a megabyte per second. */
async function filled(isStreaming: boolean) {
  const broker = await Broker.open(":memory:");
  onTestFinished(() => broker.close());
  await broker.createTopic({ topic: "t", partitions: 1 });
  for (let i = 0; i < 64; i++) {
    await broker.produce({ topic: "t", partition: 0, batches: sealed("x".repeat(128 * 1024)) });
  }
  return setUp({ consumeBytesPerSecond: 1_000_000 }, broker, isStreaming);
}

const MOST_AT_ONCE = 1_000_000 + 256 * 1024; // the burst, and a batch that exceeds it

test("many concurrent fetches get no more than the quota, and the others are refused", async () => {
  const { clock, log, otherLog } = await filled(false);
  const fetchAll = async () => {
    const fetches = Array.from({ length: 50 }, (_, i) =>
      [log, otherLog][i % 2]!.fetch({ topic: "t", partition: 0, from: 0, maxBytes: 8_000_000 }),
    );
    const results = await Promise.allSettled(fetches);
    const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    for (const error of refused) expect(error).toMatchObject({ code: "QUOTA_EXCEEDED" });
    let bytes = 0;
    for (const result of results) {
      if (result.status === "rejected") continue;
      bytes += result.value.batches.length;
      result.value.release?.();
    }
    return bytes;
  };
  const first = await fetchAll();
  expect(first).toBeGreaterThan(500_000);
  expect(first).toBeLessThan(MOST_AT_ONCE);
  await clock.pass(500);
  expect(await fetchAll()).toBeLessThan(500_000 + 256 * 1024);
});

test("a fetch without results is not charged, even while it waits", async () => {
  const { log, otherLog } = await filled(false);
  const waiting = Array.from({ length: 20 }, () =>
    log.fetch({ topic: "t", partition: 0, from: "latest", maxWaitMs: 300 }),
  );
  await new Promise(setImmediate);
  const { batches } = await otherLog.fetch({ topic: "t", partition: 0, from: 0, maxBytes: 900_000 });
  expect(batches.length).toBeGreaterThan(700_000);
  for (const { batches } of await Promise.all(waiting)) expect(batches).toHaveLength(0);
});

test("many concurrent streams together get no more than the quota", async () => {
  const { clock, log, otherLog, caller } = await filled(true);
  let received = 0;
  const read = async (from: GuardedLog) => {
    for await (const event of from.consume({ topic: "t", partition: 0, from: 0 })) {
      if (event.type !== "batches") continue;
      received += event.batches.length;
      event.release?.();
    }
  };
  const reading = Array.from({ length: 50 }, (_, i) => read([log, otherLog][i % 2]!).catch((error) => error));
  const settle = async () => {
    for (let i = 0; i < 200; i++) await new Promise(setImmediate);
  };
  await settle();
  expect(received).toBeGreaterThan(500_000);
  expect(received).toBeLessThan(MOST_AT_ONCE);
  for (let second = 1; second <= 3; second++) {
    await clock.pass(1_000);
    await settle();
    expect(received).toBeGreaterThan(500_000 + second * 800_000);
    expect(received).toBeLessThan(MOST_AT_ONCE + second * 1_000_000);
  }
  caller.end();
  void reading;
});

test("calls per second are counted for each principal, and unused ones do not accumulate", async () => {
  const { clock, quotas } = setUp({ requestsPerSecond: 2 }, {});
  const calls = (principal: string, count: number) => {
    for (let i = 0; i < count; i++) quotas.of(principal, "::1")!.beginCall();
  };
  calls("a", 2);
  expect(() => calls("a", 1)).toThrow(expect.objectContaining({ code: "QUOTA_EXCEEDED", retryAfterMs: 500 }));
  calls("b", 2);
  await clock.pass(60_000);
  calls("a", 2);
  expect(() => calls("a", 1)).toThrow(expect.objectContaining({ retryAfterMs: 500 }));
  await clock.pass(500);
  calls("a", 1);
  quotas.of("anonymous", "10.0.0.1")!.beginCall();
  for (let i = 0; i < 2; i++) quotas.of("anonymous", "10.0.0.2")!.beginCall();
  expect(() => quotas.of("anonymous", "10.0.0.2")!.beginCall()).toThrow(); // each address has its own quota
});

test("of several quotas that name a principal, the first one applies", () => {
  const quotas = new Quotas([{ principals: ["a"] }, { principals: ["*"], requestsPerSecond: 1 }], 0, new FakeClock());
  for (let i = 0; i < 5; i++) quotas.of("a", "::1")!.beginCall();
  quotas.of("b", "::1")!.beginCall();
  expect(() => quotas.of("b", "::1")!.beginCall()).toThrow();
});

test("a reader with a quota reads nothing ahead, because that would hold memory for which others wait", () => {
  const asked: (boolean | undefined)[] = [];
  const consume: LogApi["consume"] = (_request, options) => {
    asked.push(options?.readAhead);
    return (async function* () {})();
  };
  const limited = setUp({ consumeBytesPerSecond: 1_000 }, { consume });
  const unlimited = setUp({ produceBytesPerSecond: 1_000 }, { consume });
  for (const { log } of [limited, unlimited]) log.consume({ topic: "t", partition: 0 }, {});
  expect(asked).toEqual([false, undefined]);
});
