/**
 * Brokers of a cluster, as their callers see them: who answers for a partition, and for a group.
 */
import { Broker } from "@logstore/core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { batch, codeOf } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";

const LEASE_MS = 1_200;
const PATIENCE = { timeout: 45_000, interval: 20 };
const ADDRESSES = { a: "a.example:7411", b: "b.example:7411" };

describe.skipIf(natsServer() === undefined)("brokers of a cluster", () => {
  let servers: NatsServers;
  let namespaces = 0;
  let brokers: Record<string, Broker>;
  beforeAll(async () => {
    servers = await NatsServers.start();
  }, 60_000);
  afterAll(() => servers?.stop());

  /** Two brokers, and a topic with two partitions, of which each has one. */
  async function start() {
    const namespace = `brokers-${++namespaces}`;
    const open = async (broker: "a" | "b") => {
      const address = ADDRESSES[broker];
      const common = { servers: servers.addresses, namespace, replicas: 1, requestTimeoutMs: 2_000 } as const;
      const engine = await JetStreamEngine.open({ ...common, broker, address, leaseMs: LEASE_MS });
      const opened = await Broker.openOn(engine);
      onTestFinished(() => opened.close());
      return opened;
    };
    const [a, b] = [await open("a"), await open("b")];
    brokers = { [ADDRESSES.a]: a, [ADDRESSES.b]: b };
    await a.createTopic({ topic: "t", partitions: 2 });
    await expect.poll(async () => new Set(await ownersOf(b)).size, PATIENCE).toBe(2);
    await expect.poll(async () => (await ownersOf(a)).join(), PATIENCE).toBe((await ownersOf(b)).join());
    return { a, b };
  }

  const ownersOf = async (broker: Broker) =>
    (await broker.describeTopic("t")).partitions.map(({ ownerAddress }) => ownerAddress);

  test("describeTopic tells each partition's owner, and only the owner answers for it", async () => {
    const { a, b } = await start();
    for (const [partition, ownerAddress] of (await ownersOf(a)).entries()) {
      const owner = brokers[ownerAddress!]!;
      const other = owner === a ? b : a;
      const place = { topic: "t", partition };
      expect(await owner.produce({ ...place, batches: batch(["x"]) })).toMatchObject({ baseOffset: 0 });
      const refused = { code: "NOT_OWNER", topic: "t", partition, address: ownerAddress };
      await expect(other.produce({ ...place, batches: batch(["y"]) })).rejects.toMatchObject(refused);
      await expect(other.fetch(place)).rejects.toMatchObject(refused);
      await expect(other.consume(place)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
      await expect(other.deleteRecords("t", partition, 1)).rejects.toMatchObject(refused);
      const partitions = [{ partition, position: "latest" as const }];
      await expect(other.listOffsets({ topic: "t", partitions })).rejects.toMatchObject(refused);
      expect(await owner.listOffsets({ topic: "t", partitions })).toMatchObject([{ offset: 1 }]);
    }
  });

  test("a group is where its journal's owner is, and goes with it, with its offsets", async () => {
    const { a, b } = await start();
    const groups = Array.from({ length: 12 }, (_, i) => `g${i}`);
    const offsets = [{ topic: "t", partition: 0, offset: 0, metadata: "m" }];
    const whose = new Map<string, Broker>();
    for (const group of groups) {
      const { code, address } = await a.commitOffsets({ group, offsets }).then(
        () => ({ code: undefined, address: ADDRESSES.a }),
        (error) => error,
      );
      expect([undefined, "NOT_OWNER"]).toContain(code);
      const owner = brokers[address]!;
      if (owner === b) await b.commitOffsets({ group, offsets });
      whose.set(group, owner);
      expect(await codeOf((owner === a ? b : a).describeGroup(group))).toBe("NOT_OWNER");
    }
    expect(new Set(whose.values()).size).toBe(2);
    expect((await a.listGroups()).length + (await b.listGroups()).length).toBe(groups.length);
    await a.drain();
    for (const group of groups) {
      let found: Awaited<ReturnType<Broker["fetchOffsets"]>> = [];
      await expect
        .poll(async () => codeOf(b.fetchOffsets(group).then((fetched) => (found = fetched))), PATIENCE)
        .toBeUndefined();
      expect(found).toMatchObject([{ topic: "t", partition: 0, offset: 0, metadata: "m" }]);
      expect(await codeOf(a.fetchOffsets(group))).toBe("NOT_OWNER");
    }
    await a.close();
    expect((await b.listGroups()).length).toBe(groups.length);
  });

  test("a topic that is deleted at one broker is forgotten by the groups of all", async () => {
    const { a, b } = await start();
    const offsets = [{ topic: "t", partition: 0, offset: 0 }];
    const committedAt = async (broker: Broker) => {
      for (let i = 0; ; i++) {
        const commit = { group: `g${i}`, offsets };
        if ((await codeOf(broker.commitOffsets(commit))) === undefined) return commit.group;
      }
    };
    const [ofA, ofB] = [await committedAt(a), await committedAt(b)];
    expect(await b.fetchOffsets(ofB)).toMatchObject(offsets);
    await a.deleteTopic("t");
    expect(await a.fetchOffsets(ofA)).toEqual([]);
    await expect.poll(() => b.fetchOffsets(ofB), PATIENCE).toEqual([]);
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
