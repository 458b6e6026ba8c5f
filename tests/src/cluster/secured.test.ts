/** A cluster with TLS and access control, which also hold for calls that are passed on. */
import { createHash } from "node:crypto";
import { connect, GrpcLogApi, type LogClient, text } from "@logstore/client";
import type { LogApi } from "@logstore/protocol";
import type { AccessConfig } from "@logstore/server-grpc";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CertificateAuthority, directoryWith } from "../../../packages/server-grpc/test/certificates.ts";
import { sealedBatch } from "../bytes.ts";
import { MemoryCluster } from "./memory-cluster.ts";

let files: Awaited<ReturnType<typeof directoryWith>>;

beforeAll(async () => {
  const ca = await CertificateAuthority.create();
  const { cert, key } = await ca.issue(["server"]);
  files = await directoryWith({ "cert.pem": cert, "key.pem": key, "ca.pem": ca.cert });
});

afterAll(() => files.remove());

const tls = () => ({ caFile: files.path("ca.pem") });
const tokens = (...names: string[]) =>
  names.map((principal) => ({ principal, sha256: createHash("sha256").update(principal).digest("hex") }));

/** Brokers a and b, of which b owns everything. */
async function start(access: Omit<AccessConfig, "tokens">, peerToken = "broker"): Promise<MemoryCluster> {
  return MemoryCluster.start(["a", "b"], ["b"], {
    serve: () => ({
      tls: { certFile: files.path("cert.pem"), keyFile: files.path("key.pem") },
      access: { ...access, tokens: tokens("alice", "eve", "broker") },
      onWarning: () => {},
    }),
    peers: { tls: tls(), token: peerToken },
  });
}

function apiAt(cluster: MemoryCluster, name: string, token: string, timeoutMs = 10_000): GrpcLogApi {
  const api = new GrpcLogApi(cluster.member(name).address, { tls: tls(), token, onEvent: () => {}, timeoutMs });
  onTestFinished(() => api.close());
  return api;
}

function clientAt(cluster: MemoryCluster, name: string, token: string): LogClient {
  const client = connect(cluster.member(name).address, { tls: tls(), token, onEvent: () => {} });
  onTestFinished(() => client.close({ timeoutMs: 1_000 }));
  return client;
}

const everything = (principal: string) => ({
  principals: [principal],
  operations: ["*"] as const,
  topics: ["*"],
  groups: ["*"],
});
/** Those of a principal that may do nothing with topic "t" and its groups. */
const otherThings = { ...everything("eve"), topics: ["other"], groups: ["other"] };
const partition = { topic: "t", partition: 0 };
const offsets = [{ ...partition, offset: 0 }];

/** A call of each kind that is passed on. */
const calls: { readonly [name: string]: (api: LogApi) => Promise<unknown> } = {
  produce: (api) => api.produce({ ...partition, batches: sealedBatch(["x"]) }),
  fetch: (api) => api.fetch(partition),
  consume: (api) => api.consume(partition)[Symbol.asyncIterator]().next(),
  listOffsets: (api) => api.listOffsets({ topic: "t", partitions: [{ partition: 0, position: "latest" }] }),
  deleteRecords: (api) => api.deleteRecords("t", 0, "earliest"),
  joinGroup: (api) =>
    api
      .joinGroup({ group: "h", topics: ["t"] })
      [Symbol.asyncIterator]()
      .next(),
  commitOffsets: (api) => api.commitOffsets({ group: "g", offsets }),
  fetchOffsets: (api) => api.fetchOffsets("g"),
  describeGroup: (api) => api.describeGroup("g"),
  resetOffsets: (api) => api.resetOffsets({ group: "g", to: "earliest" }),
  deleteGroup: (api) => api.deleteGroup("g"),
};

describe("a call that is passed on", () => {
  test("is allowed where its caller may make it, and refused before it is passed on where not", async () => {
    const cluster = await start({ rules: [everything("alice"), everything("broker"), otherThings] });
    const { calls: counts } = cluster.member("b");
    const [alice, eve] = [apiAt(cluster, "a", "alice"), apiAt(cluster, "a", "eve")];
    for (const [name, call] of Object.entries(calls)) await expect(call(alice), name).resolves.not.toThrow();
    const before = { ...counts };
    for (const [name, call] of Object.entries(calls)) {
      await expect(call(eve), name).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    }
    expect(await eve.listGroups()).toEqual([]);
    expect(counts).toEqual(before);
    expect(Object.values(counts)).not.toContain(0); // each was passed on for the one who may
  });

  test("is charged to its caller's quota", async () => {
    const rules = [everything("alice"), everything("broker")];
    const limits = { consumeBytesPerSecond: 100, produceBytesPerSecond: 100 };
    const cluster = await start({ rules, quotas: [{ principals: ["alice"], ...limits }] });
    const { broker, calls: counts } = cluster.member("b");
    await broker.produce({ ...partition, batches: sealedBatch(["x".repeat(5_000)]) });
    const alice = apiAt(cluster, "a", "alice");
    for await (const { type } of alice.consume(partition)) if (type === "batches") break;
    await expect(alice.fetch(partition)).rejects.toMatchObject({ code: "QUOTA_EXCEEDED" });
    await alice.produce({ ...partition, batches: sealedBatch(["x".repeat(5_000)]) });
    const { produce } = counts;
    alice.produce({ ...partition, batches: sealedBatch(["x"]) }).catch(() => {}); // it waits for the quota
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(counts.produce).toBe(produce);
  });

  test("can be repeated where the owner does not accept the broker that passes it on", async () => {
    for (const token of ["eve", "unknown"]) {
      const cluster = await start({ rules: [everything("alice"), otherThings] }, token);
      const alice = apiAt(cluster, "a", "alice", 200);
      for (const [name, call] of Object.entries(calls)) {
        await expect(call(alice), name).rejects.toMatchObject({ code: "UNAVAILABLE" });
      }
    }
  });
});

test("a client shows its token to the owners, over TLS", async () => {
  const cluster = await start({ rules: [everything("alice"), everything("broker")] });
  const client = clientAt(cluster, "a", "alice");
  const producer = client.producer("t", { value: text() });
  await producer.send({ value: "v", partition: 0 });
  const consumer = client.consumer({ group: "g", topics: ["t"], value: text() });
  for await (const { value } of consumer) if (value === "v") break;
  await consumer.close();
  const { calls: counts } = cluster.member("b");
  expect(counts).toMatchObject({ produce: 1, joinGroup: 1 });
  expect(counts.consume).toBeGreaterThan(0);
});
