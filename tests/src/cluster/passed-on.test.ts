/** Calls that are passed on end with the caller, and with the broker that passes them on. */
import { GrpcLogApi } from "@logstore/client";
import type { CancelSignal } from "@logstore/protocol";
import { expect, onTestFinished, test } from "vitest";
import { sealedBatch } from "../bytes.ts";
import { FreezingProxy } from "./freezing-proxy.ts";
import { type Member, MemoryCluster } from "./memory-cluster.ts";

const PATIENCE = { timeout: 60_000, interval: 10 };
const unavailable = { code: "UNAVAILABLE" };
const partition = { topic: "t", partition: 0 };
const batches = () => sealedBatch(["x"]);

function apiAt(cluster: MemoryCluster, name: string, timeoutMs = 10_000): GrpcLogApi {
  const api = new GrpcLogApi(cluster.member(name).address, { onEvent: () => {}, timeoutMs });
  onTestFinished(() => api.close());
  return api;
}

/** The signals of the reads that reach a broker from now on. */
function signalsOf({ broker }: Member): CancelSignal[] {
  const signals: CancelSignal[] = [];
  for (const method of ["consume", "fetch"] as const) {
    const call = broker[method] as (request: object, options: { signal: CancelSignal }) => unknown;
    const noted: typeof call = (request, options) => {
      signals.push(options.signal);
      return call(request, options);
    };
    Object.assign(broker, { [method]: noted });
  }
  return signals;
}

test("reads and memberships end at the owner when their caller leaves", async () => {
  const cluster = await MemoryCluster.start(["a", "b"], ["b"]);
  const b = cluster.member("b");
  const api = apiAt(cluster, "a");
  const member = api.joinGroup({ group: "g", topics: ["t"] })[Symbol.asyncIterator]();
  expect((await member.next()).value).toMatchObject({ type: "joined" });
  const signals = signalsOf(b);
  const abort = new AbortController();
  const reading = api.consume(partition, { signal: abort.signal }).next();
  expect((await reading).value).toMatchObject({ type: "caughtUp" });
  const others = [
    api.consume({ ...partition, from: "latest" }, { signal: abort.signal }).next(),
    api.fetch({ ...partition, maxWaitMs: 30_000 }, { signal: abort.signal }).catch(() => {}),
  ];
  await expect.poll(() => signals.length, PATIENCE).toBe(3);
  expect(signals.filter(({ aborted }) => aborted)).toEqual([]);
  abort.abort();
  await Promise.all(others);
  await member.return?.();
  await expect.poll(() => signals.filter(({ aborted }) => aborted).length, PATIENCE).toBe(3);
  const areConnected = async () => (await b.broker.describeGroup("g")).members.map(({ connected }) => connected);
  await expect.poll(areConnected, PATIENCE).toEqual([false]);
});

test("a stop of the broker in between waits for appends, and ends reads", async () => {
  const serve = () => ({ drainTimeoutMs: 5_000 });
  const cluster = await MemoryCluster.start(["a", "b"], ["b"], { serve });
  const [a, b] = [cluster.member("a"), cluster.member("b")];
  const [api, impatient] = [apiAt(cluster, "a"), apiAt(cluster, "a", 500)];
  await api.produce({ ...partition, batches: batches() });
  const gate = Promise.withResolvers<void>();
  b.afterProduce = () => gate.promise;
  const appends = [1, 2, 3].map(() => api.produce({ ...partition, batches: batches() }));
  const waiting = expect(
    impatient.fetch({ ...partition, from: "latest", minBytes: 1_000, maxWaitMs: 2_000 }),
  ).rejects.toMatchObject(unavailable);
  const reading = api.consume(partition);
  expect((await reading.next()).value).toMatchObject({ type: "batches" });
  const ended = expect(Array.fromAsync(reading)).rejects.toMatchObject(unavailable);
  await expect.poll(() => b.calls.produce, PATIENCE).toBe(4);
  const stopped = a.stop();
  await ended;
  gate.resolve();
  expect((await Promise.all(appends)).map(({ baseOffset }) => baseOffset)).toEqual([1, 2, 3]);
  await stopped;
  await waiting; // it was tried again
});

test("a stop does not wait for a silent owner", async () => {
  const cluster = await MemoryCluster.start(["a", "b"], ["b"]);
  const [a, b] = [cluster.member("a"), cluster.member("b")];
  const proxy = await FreezingProxy.before(b.address);
  cluster.pretendToPeers("b", proxy.address);
  const api = apiAt(cluster, "a");
  await api.produce({ ...partition, batches: batches() });
  proxy.freeze();
  const append = expect(api.produce({ ...partition, batches: batches() })).rejects.toMatchObject(unavailable);
  const member = api.joinGroup({ group: "g", topics: ["t"] })[Symbol.asyncIterator]();
  const joining = expect(member.next()).rejects.toMatchObject(unavailable);
  await expect.poll(() => a.calls.joinGroup + a.calls.produce, PATIENCE).toBe(3);
  await a.stop();
  await append;
  await joining;
});
