/**
 * Two brokers of a cluster behind gRPC: a client that knows only one of them reaches everything.
 */
import { connect, GrpcLogApi, type LogClient, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { JetStreamEngine } from "@logstore/engine-jetstream";
import { type LogStoreServer, serve } from "@logstore/server-grpc";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { NatsServers, natsServer, SKIPPED } from "../../../packages/engine-jetstream/test/nats-servers.ts";
import { sealedBatch } from "../bytes.ts";
import { freePort } from "../free-port.ts";

const LEASE_MS = 1_200;
const PATIENCE = { timeout: 60_000, interval: 20 };
const PARTITIONS = 4;

interface Member {
  readonly broker: Broker;
  readonly server: LogStoreServer;
  readonly client: LogClient;
  stop(): Promise<void>;
}

describe.skipIf(natsServer() === undefined)("any broker of a cluster", () => {
  let nats: NatsServers;
  let namespaces = 0;
  beforeAll(async () => {
    nats = await NatsServers.start();
  }, 60_000);
  afterAll(() => nats?.stop());

  /** Two brokers, which own two partitions each of topic `t`. */
  async function start(): Promise<[Member, Member]> {
    const namespace = `any-${++namespaces}`;
    const members: Member[] = [];
    for (const name of ["a", "b"]) members.push(await startBroker(namespace, name));
    const [a, b] = members as [Member, Member];
    await a.broker.createTopic({ topic: "t", partitions: PARTITIONS });
    const counts = async ({ broker }: Member) => {
      const { partitions } = await broker.describeTopic("t");
      return members.map(
        ({ server }) => partitions.filter(({ ownerAddress }) => ownerAddress === server.address).length,
      );
    };
    for (const member of members) await expect.poll(() => counts(member), PATIENCE).toEqual([2, 2]);
    return [a, b];
  }

  async function startBroker(namespace: string, name: string): Promise<Member> {
    const port = await freePort();
    const common = { servers: nats.addresses, namespace, replicas: 1, leaseMs: LEASE_MS } as const;
    const engine = await JetStreamEngine.open({ ...common, broker: name, address: `127.0.0.1:${port}` });
    const broker = await Broker.openOn(engine);
    const connectToBroker = (address: string) => new GrpcLogApi(address, { ownerOnly: true });
    const server = await serve(broker, { port, connectToBroker, drainTimeoutMs: 1_000 });
    const client = connect(server.address);
    let stopping: Promise<void> | undefined;
    const stop = async () => {
      await broker.drain();
      await server.stop();
      await broker.close();
    };
    const member = { broker, server, client, stop: () => (stopping ??= stop()) };
    onTestFinished(async () => {
      await client.close();
      await member.stop();
    });
    return member;
  }

  test("records are produced, read, looked up and deleted through one of them", async () => {
    const [a] = await start();
    const producer = a.client.producer("t", { value: text() });
    const values = Array.from({ length: 40 }, (_, i) => `v${i}`);
    await Promise.all(values.map((value, i) => producer.send({ value, partition: i % PARTITIONS })));
    await producer.close();
    const reader = a.client.reader({ topics: ["t"], until: "latest", value: text() });
    const read = (await Array.fromAsync(reader)).map(({ value }) => value);
    expect(read.sort()).toEqual([...values].sort());
    const api = new GrpcLogApi(a.server.address);
    onTestFinished(() => api.close());
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      position: "latest" as const,
    }));
    const offsets = await api.listOffsets({ topic: "t", partitions });
    expect(offsets.map(({ offset }) => offset)).toEqual(Array(PARTITIONS).fill(10));
    expect(await api.listOffsets({ topic: "t", partitions: [] })).toEqual([]);
    const unknown = api.listOffsets({ topic: "unknown", partitions: [] });
    await expect(unknown).rejects.toMatchObject({ code: "UNKNOWN_TOPIC" });
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect(await api.fetch({ topic: "t", partition, from: 5 })).toMatchObject({ highWatermark: 10 });
      expect(await api.deleteRecords("t", partition, 3)).toBe(3);
    }
  });

  test("a caller that asks for owners only is told where to go", async () => {
    const [a, b] = await start();
    const { partitions } = await a.broker.describeTopic("t");
    const { partition } = partitions.find(({ ownerAddress }) => ownerAddress === b.server.address)!;
    const api = new GrpcLogApi(a.server.address, { ownerOnly: true });
    onTestFinished(() => api.close());
    const described = await api.describeTopic("t");
    expect(described.partitions[partition]).toMatchObject({ ownerAddress: b.server.address });
    const refused = { code: "NOT_OWNER", topic: "t", partition, address: b.server.address };
    const request = { topic: "t", partition };
    await expect(api.produce({ ...request, batches: sealedBatch(["x"]) })).rejects.toMatchObject(refused);
    await expect(api.fetch(request)).rejects.toMatchObject(refused);
    await expect(api.consume(request).next()).rejects.toMatchObject(refused);
  });

  test("a group is reached through any of them, and goes on when its coordinator stops", async () => {
    const [a, b] = await start();
    const producer = a.client.producer("t", { value: text() });
    const send = async (from: number, to: number) => {
      for (let i = from; i < to; i++) await producer.send({ value: `v${i}`, partition: i % PARTITIONS });
    };
    await send(0, 20);
    const seen = new Set<string>();
    const abort = new AbortController();
    const groups = Array.from({ length: 6 }, (_, i) => `g${i}`);
    const consumers = groups.map((group) =>
      a.client.consumer({ group, topics: ["t"], from: "earliest", value: text() }),
    );
    const running = consumers.map(async (consumer, i) => {
      for await (const { value } of consumer) {
        seen.add(`${groups[i]} ${value}`);
        if (abort.signal.aborted) return;
      }
    });
    await expect.poll(() => seen.size, PATIENCE).toBe(6 * 20);
    expect((await a.client.listGroups()).map(({ group }) => group)).toEqual(groups);
    await b.stop();
    await send(20, 40);
    await expect.poll(() => seen.size, PATIENCE).toBe(6 * 40);
    abort.abort();
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await Promise.all(running);
    await producer.close();
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
