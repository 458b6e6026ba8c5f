/** Calls that a broker passes on to one that has fallen silent: they end when its lease does. */
import { GrpcLogApi } from "@logstore/client";
import type { LogApi } from "@logstore/protocol";
import { expect, onTestFinished, test } from "vitest";
import { sealedBatch } from "../bytes.ts";
import { FreezingProxy } from "./freezing-proxy.ts";
import { MemoryCluster } from "./memory-cluster.ts";

const partition = { topic: "t", partition: 0 };
const offsets = [{ ...partition, offset: 0 }];
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function apiAt(cluster: MemoryCluster, name: string): GrpcLogApi {
  const api = new GrpcLogApi(cluster.member(name).address, { onEvent: () => {}, timeoutMs: 1_000_000 });
  onTestFinished(() => api.close());
  return api;
}

test("calls that wait for a silent broker end when its lease has, and are answered by the next owner", async () => {
  const cluster = await MemoryCluster.start(["a", "b", "c"], ["b"]);
  const proxy = await FreezingProxy.before(cluster.member("b").address);
  cluster.pretendToPeers("b", proxy.address);
  const api = apiAt(cluster, "a");
  const produce = () => api.produce({ ...partition, batches: sealedBatch(["x"]) });
  await produce();
  const reading = api.consume(partition)[Symbol.asyncIterator]();
  for (const type of ["batches", "caughtUp"]) expect((await reading.next()).value).toMatchObject({ type });
  const member = api.joinGroup({ group: "g", topics: ["t"] })[Symbol.asyncIterator]();
  for (const type of ["joined", "assignment"]) expect((await member.next()).value).toMatchObject({ type });
  proxy.freeze();
  const calls: { readonly [name: string]: Promise<unknown> } = {
    produce: produce(),
    consume: reading.next(),
    begun: api.consume(partition)[Symbol.asyncIterator]().next(),
    member: member.next(),
    joined: api
      .joinGroup({ group: "h", topics: ["t"] })
      [Symbol.asyncIterator]()
      .next(),
  };
  const ended: string[] = [];
  for (const [name, call] of Object.entries(calls)) call.catch(() => {}).finally(() => ended.push(name));
  await later(200);
  expect(ended).toEqual([]);
  cluster.declareDead("b");
  cluster.move(0, "c");
  cluster.moveGroups("c");
  for (const [name, call] of Object.entries(calls)) {
    await expect(call, name).rejects.toMatchObject({ code: "UNAVAILABLE" });
  }
  expect(await produce()).toMatchObject({ baseOffset: 1 });
  expect(await api.listGroups()).toMatchObject([{ group: "g" }]);
  await api.commitOffsets({ group: "x", offsets });
});

test("one call an owner looks positions up", async () => {
  const owners = Array.from({ length: 30 }, (_, i) => "abc"[i % 3]!);
  const cluster = await MemoryCluster.start(["a", "b", "c"], owners);
  const api: LogApi = apiAt(cluster, "a");
  for (const [i] of owners.entries()) {
    await cluster
      .member(owners[i]!)
      .broker.produce({ topic: "t", partition: i, batches: sealedBatch(Array(i + 1).fill("x")) });
  }
  const partitions = owners.map((_, i) => ({ partition: 29 - i, position: "latest" as const }));
  const found = await api.listOffsets({ topic: "t", partitions });
  expect(found.map(({ offset }) => offset)).toEqual(owners.map((_, i) => 30 - i));
  for (const name of ["b", "c"]) expect(cluster.member(name).calls.listOffsets).toBe(1);
});
