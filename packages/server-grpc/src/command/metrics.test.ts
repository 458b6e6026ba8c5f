/**
 * The metrics that Prometheus scrapes under traffic, and their description in docs/operations.md.
 */
import { readFileSync } from "node:fs";
import { RecordBatchBuilder, StorageFailedError } from "@logstore/codec";
import { Broker, type LogStoreHooks } from "@logstore/core";
import type { Logger } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { sealed } from "../../test/fake-log.js";
import { collect, ForeignClient, failure } from "../../test/foreign-client.js";
import { clusterEvents } from "./cluster-events.js";
import { run } from "./run.js";

interface Sample {
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** A server with metrics, its client, and the hooks of its broker. */
async function started() {
  const listening = Promise.withResolvers<string>();
  const metrics = Promise.withResolvers<string>();
  const stopped = new AbortController();
  let hooks: LogStoreHooks = {};
  const exit = run(["--data", ":memory:", "--port", "0", "--metrics-port", "0"], {
    environment: {},
    openBroker(config, given) {
      hooks = given;
      return Broker.open(config.data!, { hooks: given });
    },
    print: (line) => listening.resolve(line.split(" ").at(-1)!),
    printError: (line) => listening.reject(new Error(line)),
    readInput: async () => "",
    stopping: stopped.signal,
    onReload: () => {},
    logSink(line) {
      const { metrics: url } = JSON.parse(line) as { metrics?: string };
      if (url !== undefined) metrics.resolve(url);
    },
  });
  const client = new ForeignClient(await listening.promise);
  const url = await metrics.promise;
  const stop = async () => {
    client.close();
    stopped.abort();
    return exit;
  };
  onTestFinished(async () => void (await stop()));
  return { client, url, hooks, stop };
}

/** Each event of a cluster's engine; returns what is logged of them. */
function tellCluster() {
  const logged: [level: string, fields: unknown, message: string][] = [];
  const to = (level: string) => (fields: unknown, message: string) => void logged.push([level, fields, message]);
  const log = { info: to("info"), warn: to("warn"), error: to("error") } as unknown as Logger;
  const tell = clusterEvents(log);
  const of = { topic: "t", partition: 3 };
  tell({ type: "takeover", ...of, epoch: 7, durationMs: 40 });
  tell({ type: "takeover", journal: "=1", epoch: 9, durationMs: 40 });
  tell({ type: "fenced", ...of, epoch: 7 });
  tell({ type: "records_lost", ...of, from: 5, to: 6 });
  tell({ type: "outcome", ...of, outcome: "stored_again", durationMs: 900 });
  tell({ type: "quorum", ...of, isLost: true, error: new Error("no responders") });
  tell({ type: "quorum", ...of, isLost: false });
  tell({ type: "renewal_failed", error: new Error("timeout") });
  tell({ type: "lease", isLost: true });
  tell({ type: "lease", isLost: false });
  return logged;
}

async function scrape(url: string): Promise<Map<string, Sample[]>> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  const samples = new Map<string, Sample[]>();
  for (const line of (await response.text()).split("\n")) {
    const match = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/i.exec(line);
    if (match === null) continue;
    const labels = Object.fromEntries(
      [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((m) => [m[1]!, m[2]!]),
    );
    const of = samples.get(match[1]!) ?? [];
    of.push({ labels, value: Number(match[3]) });
    samples.set(match[1]!, of);
  }
  return samples;
}

function sum(samples: Map<string, Sample[]>, name: string, labels: Record<string, string> = {}): number | undefined {
  const matching = samples
    .get(name)
    ?.filter((sample) => Object.entries(labels).every(([k, v]) => sample.labels[k] === v));
  return matching?.reduce((total, { value }) => total + value, 0);
}

/**
 * Appends 2 + 1 records to "t", reads all of them twice, and causes one failure. One stream stays
 * open.
 */
async function traffic(client: ForeignClient) {
  await client.call("CreateTopic", { topic: "t", partitions: 2 });
  await client.call("Produce", { topic: "t", partition: 0, batches: sealed("a", "b") });
  const stream = client.produceStream();
  stream.write({ topic: "t", partition: 1, batches: sealed("c"), durability: 1 });
  stream.end();
  await collect(stream);
  for (const partition of [0, 1]) {
    await collect(client.consume({ topic: "t", partition, until: { edge: 2 } }));
    await client.call("Fetch", { topic: "t", partition, from: { edge: 1 } });
  }
  await failure(client.call("DescribeTopic", { topic: "nothing" }));
  await client.call("CreateTopic", { topic: "t.g.parked", partitions: 1 });
  await client.call("Produce", { topic: "t.g.parked", partition: 0, batches: sealed("a") });
  await client.call("CommitOffsets", { group: "g", offsets: [{ topic: "t", partition: 0, offset: 1 }] });
  const tail = client.consume({ topic: "t", partition: 0, from: { edge: 2 } });
  tail.on("error", () => {});
  await new Promise((resolve) => tail.once("data", resolve));
  return tail;
}

test("what a cluster's engine tells is counted and logged", async () => {
  const { url } = await started();
  const logged = tellCluster();
  const samples = await scrape(url);
  expect(sum(samples, "logstore_cluster_takeover_duration_count")).toBe(2);
  const partition = { messaging_destination_name: "t", messaging_destination_partition_id: "3" };
  expect(sum(samples, "logstore_cluster_epoch", partition)).toBe(7);
  expect(sum(samples, "logstore_cluster_epoch", { logstore_journal: "=1" })).toBe(9);
  const outcomes = ["stored", "stored_again", "fenced", "tail_lost", "too_large"].map((outcome) =>
    sum(samples, "logstore_cluster_outcomes_total", { logstore_outcome: outcome }),
  );
  expect(outcomes).toEqual([0, 1, 0, 0, 0]);
  for (const name of ["fenced", "records_lost", "quorum_lost", "lease_renewals_failed", "lease_lost"]) {
    expect([name, sum(samples, `logstore_cluster_${name}_total`)]).toEqual([name, 1]);
  }
  expect(logged.map(([level]) => level)).toEqual("info info warn error info error info warn error info".split(" "));
  expect(logged[3]![2]).toBe("records from offset 5 to 5 were acknowledged and are gone");
  const [, fields, message] = logged[5]!;
  expect(message).toBe("a partition has no quorum in NATS");
  expect(fields).toEqual({ topic: "t", partition: 3, isLost: true, err: new Error("no responders") });
});

test("a cluster's counters are there before anything happens: an alert sees the first increase", async () => {
  const { url } = await started();
  clusterEvents({} as Logger);
  expect(sum(await scrape(url), "logstore_cluster_lease_lost_total")).toBe(0);
});

test("appends, deliveries, calls, streams and topics are counted", async () => {
  const { client, url } = await started();
  const tail = await traffic(client);
  const samples = await scrape(url);
  expect(sum(samples, "logstore_topics")).toBe(2);
  const topic = { messaging_destination_name: "t" };
  const bytes = sealed("a", "b").length + sealed("c").length;
  expect(sum(samples, "logstore_append_records_total", topic)).toBe(3);
  expect(sum(samples, "logstore_append_batches_total", topic)).toBe(2);
  expect(sum(samples, "logstore_append_bytes_total", topic)).toBe(bytes);
  expect(sum(samples, "logstore_delivery_records_total", topic)).toBe(6);
  expect(sum(samples, "logstore_delivery_batches_total", topic)).toBe(4);
  expect(sum(samples, "logstore_delivery_bytes_total", topic)).toBe(2 * bytes);
  expect(sum(samples, "logstore_append_duration_count")).toBe(3);
  expect(sum(samples, "logstore_append_pending")).toBe(0);
  expect(sum(samples, "logstore_delivery_pending")).toBe(0);
  expect(sum(samples, "logstore_topic_records", topic)).toBe(3);
  expect(sum(samples, "logstore_topic_end_offset", topic)).toBe(3);
  expect(sum(samples, "logstore_topic_partitions", topic)).toBe(2);
  expect(sum(samples, "logstore_topic_healthy", topic)).toBe(1);
  expect(sum(samples, "logstore_errors_total", { error_type: "UNKNOWN_TOPIC" })).toBe(1);
  expect(sum(samples, "logstore_connections_open")).toBe(1);
  const consume = { rpc_method: "logstore.v1.LogService/Consume" };
  expect(sum(samples, "logstore_streams_open", consume)).toBe(1);
  expect(sum(samples, "rpc_server_call_duration_count", { ...consume, rpc_response_status_code: "OK" })).toBe(2);
  const describe = { rpc_method: "logstore.v1.AdminService/DescribeTopic", rpc_response_status_code: "NOT_FOUND" };
  expect(sum(samples, "rpc_server_call_duration_count", describe)).toBe(1);
  tail.cancel();
  const cancelled = { ...consume, rpc_response_status_code: "CANCELLED" };
  let after = samples;
  while (sum(after, "rpc_server_call_duration_count", cancelled) !== 1) after = await scrape(url);
  expect(sum(after, "logstore_streams_open", consume)).toBe(0);
});

test("a resent batch is counted once", async () => {
  const { client, url } = await started();
  await client.call("CreateTopic", { topic: "t", partitions: 1 });
  const builder = new RecordBatchBuilder();
  builder.append(null, "a", 0);
  const batches = builder.seal({ producerId: 7, producerEpoch: 0, baseSequence: 0 });
  for (const duplicate of [false, true]) {
    expect(await client.call("Produce", { topic: "t", partition: 0, batches })).toMatchObject({ duplicate });
  }
  expect(sum(await scrape(url), "logstore_append_records_total")).toBe(1);
});

test("groups have their lag, members, state and parked records", async () => {
  const { client, url } = await started();
  (await traffic(client)).cancel();
  const membership = client.joinGroup();
  membership.on("error", () => {});
  onTestFinished(() => membership.cancel());
  membership.write({ join: { group: "read", topics: ["t"] } });
  await new Promise((resolve) => membership.once("data", resolve));
  const samples = await scrape(url);
  const ofGroup = { messaging_consumer_group_name: "g" };
  const partition = { ...ofGroup, messaging_destination_name: "t", messaging_destination_partition_id: "0" };
  expect(sum(samples, "logstore_groups")).toBe(2);
  expect(sum(samples, "logstore_groups", { logstore_group_state: "empty" })).toBe(1);
  expect(sum(samples, "logstore_group_lag_records", ofGroup)).toBe(1);
  expect(sum(samples, "logstore_group_lag_records", partition)).toBe(1);
  expect(sum(samples, "logstore_group_lag_ms", partition)).toBeGreaterThan(0);
  expect(sum(samples, "logstore_group_members", ofGroup)).toBe(0);
  expect(sum(samples, "logstore_group_state", { ...ofGroup, logstore_group_state: "empty" })).toBe(1);
  const read = { messaging_consumer_group_name: "read" };
  expect(sum(samples, "logstore_group_members", read)).toBe(1);
  expect(sum(samples, "logstore_group_rebalances_total", read)).toBeGreaterThan(0);
  expect(sum(samples, "logstore_parked_records", { messaging_destination_name: "t.g.parked" })).toBe(1);
});

test("a deleted topic is no longer reported", async () => {
  const { client, url } = await started();
  (await traffic(client)).cancel();
  await client.call("DeleteTopic", { topic: "t" });
  const samples = await scrape(url);
  const told = [...samples].filter(([, of]) => of.some(({ labels }) => labels["messaging_destination_name"] === "t"));
  expect(told.map(([name]) => name)).toEqual([]);
  expect(sum(samples, "logstore_topics")).toBe(1);
});

test("names invented by a peer are not kept", async () => {
  const { client, url } = await started();
  await failure(client.call("Produce", { topic: "made-up", partition: 0, batches: sealed("a") }));
  await failure(client.call("Fetch", { topic: "made-up", partition: 0 }));
  await collect(client.consume({ topic: "made-up", partition: 0 }));
  expect(JSON.stringify([...(await scrape(url))])).not.toContain("made-up");
});

test("docs/operations.md describes exactly the existing metrics", async () => {
  const { client, url, hooks } = await started();
  const tail = await traffic(client);
  hooks.failed?.({ topic: "t", partition: 0, error: new StorageFailedError("a test") });
  tellCluster();
  const page = readFileSync(new URL("../../../../docs/operations.md", import.meta.url), "utf8");
  const explained = [...page.matchAll(/^\| `((?:logstore|rpc|process|nodejs)_[a-z_]+)` \|/gm)].map(
    (match) => match[1]!,
  );
  const families = new Set([...(await scrape(url)).keys()].map((name) => name.replace(/_(bucket|sum|count)$/, "")));
  families.delete("target_info");
  expect(explained.toSorted()).toEqual([...families].toSorted());
  tail.cancel();
});

/**
 * Names of our metrics in PromQL expressions, without labels, which are in braces or grouping
 * clauses.
 */
function metricsIn(text: string): string[] {
  const withoutLabels = text.replaceAll(/\{[^}]*\}|\b(?:by|on) \([^)]*\)/g, "");
  return [...new Set(withoutLabels.match(/\b(?:logstore|rpc|process|nodejs)_[a-z_]+/g))];
}

test("every metric of the dashboard and the alerts exists", async () => {
  const { client, url, hooks } = await started();
  const tail = await traffic(client);
  hooks.failed?.({ topic: "t", partition: 0, error: new StorageFailedError("a test") });
  tellCluster();
  const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
  const [, alerts] = /^### Alerts\n(.*?)^##/ms.exec(read("docs/operations.md"))!;
  const dashboard = JSON.parse(read("packages/server-grpc/deploy/grafana-dashboard.json")) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const samples = await scrape(url);
  for (const text of [expressions.join("\n"), alerts!]) {
    const names = metricsIn(text);
    expect(names.length).toBeGreaterThan(8);
    expect(names.filter((name) => !samples.has(name))).toEqual([]);
  }
  tail.cancel();
});

test("the endpoint serves nothing else, and closes with the server", async () => {
  const { url, stop } = await started();
  expect((await fetch(new URL("/", url))).status).toBe(404);
  expect(await stop()).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
});
