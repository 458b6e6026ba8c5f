/** Brokers that share partitions: who owns what, when one joins, stops, stalls or is cut off. */
import type { PartitionLog, Topic } from "@logstore/core/engine";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { batch, codeOf, lines, numbered } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine } from "../src/index.ts";
import type { JetStreamLog } from "../src/partition/jetstream-log.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";
import { SlowLink } from "./slow-link.ts";

const LEASE_MS = 1_200;
const PATIENCE = { timeout: 45_000, interval: 20 };

interface Member {
  readonly link: SlowLink;
  readonly engine: JetStreamEngine;
  readonly topic: Topic;
  readonly address: string;
  close(): Promise<void>;
}

describe.skipIf(natsServer() === undefined)("cluster", () => {
  let servers: NatsServers;
  let namespaces = 0;
  beforeAll(async () => {
    servers = await NatsServers.start();
  }, 60_000);
  afterAll(() => servers?.stop());

  /** Starts brokers one after another, in a namespace with a topic `t` of so many partitions. */
  function clusterOf(partitions: number) {
    const namespace = `cluster-${++namespaces}`;
    return async (broker: string, standby = false): Promise<Member> => {
      const link = await SlowLink.to(servers.addresses[0]!);
      const address = `${broker}.example:7411`;
      const engine = await JetStreamEngine.open({
        servers: [link.address],
        namespace,
        broker,
        address,
        leaseMs: LEASE_MS,
        standby,
        replicas: 1,
        requestTimeoutMs: 1_000,
        appendTimeoutMs: 3_000,
      });
      const { topics } = await engine.catalogue.find();
      const topic = await (topics[0] === undefined
        ? engine.catalogue.create("t", partitions, {})
        : engine.catalogue.open(topics[0]));
      let closing: Promise<void> | undefined;
      const close = async () => {
        link.letGo();
        await topic.close();
        await engine.close();
        await link.close();
      };
      const member = { link, engine, topic, address, close: () => (closing ??= close()) };
      onTestFinished(member.close);
      return member;
    };
  }

  const ownersSeenBy = ({ engine, topic }: Member) =>
    Array.from({ length: topic.partitionCount }, (_, i) => engine.cluster!.owner(topic.id, i)?.address);

  const owned = (member: Member) =>
    ownersSeenBy(member).flatMap((address, partition) => (address === member.address ? [partition] : []));

  const ownerOf = (members: readonly Member[], partition = 0) =>
    members.find((member) => member.engine.cluster!.owner(member.topic.id, partition)?.isSelf);

  test("partitions are spread evenly, and no more move than must when brokers join and leave", async () => {
    const start = clusterOf(6);
    const a = await start("a");
    expect(ownersSeenBy(a)).toEqual(Array(6).fill(a.address));
    const b = await start("b");
    await expect.poll(() => [owned(a).length, owned(b).length], PATIENCE).toEqual([3, 3]);
    const before = ownersSeenBy(b);
    await expect.poll(() => ownersSeenBy(a), PATIENCE).toEqual(before);
    const c = await start("c");
    await expect.poll(() => owned(c).length, PATIENCE).toBe(2);
    const after = ownersSeenBy(c);
    expect(after.filter((owner, i) => owner !== before[i])).toEqual([c.address, c.address]);
    await expect.poll(() => ownersSeenBy(a), PATIENCE).toEqual(after);
    await b.engine.cluster!.drain();
    expect(owned(b)).toEqual([]);
    const last = ownersSeenBy(b);
    for (const [i, owner] of after.entries()) if (owner !== b.address) expect(last[i]).toBe(owner);
  });

  test("the journals of groups are spread, too", async () => {
    const start = clusterOf(1);
    const [a, b] = [await start("a"), await start("b")];
    const owns = ({ engine: { cluster } }: Member) =>
      cluster!.journals.filter((_, i) => cluster!.journalOwner(i)?.isSelf).length;
    await expect.poll(() => Math.abs(owns(a) - owns(b)) <= 1 && owns(a) + owns(b), PATIENCE).toBe(8);
  });

  test("a broker that does not own a partition refuses appends and deletions, and names the owner", async () => {
    const start = clusterOf(2);
    const [a, b] = [await start("a"), await start("b")];
    await expect.poll(() => owned(b).length, PATIENCE).toBe(1);
    const [partition] = owned(b) as [number];
    await expect.poll(() => ownersSeenBy(a)[partition], PATIENCE).toBe(b.address);
    const refused = { code: "NOT_OWNER", partition, address: b.address };
    await expect(a.topic.log(partition).appendBatches(batch(["x"]))).rejects.toMatchObject(refused);
    await expect(a.topic.log(partition).deleteRecords(0)).rejects.toMatchObject(refused);
    await b.topic.log(partition).appendBatches(batch(["y"]));
    await a.topic.log(partition).refresh();
    expect(await lines(a.topic.log(partition))).toEqual(["0 y"]);
  });

  test("a partition that moves is taken over before anything is appended to it", async () => {
    const start = clusterOf(1);
    const [a, b] = [await start("a"), await start("b")];
    const from = ownerOf([a, b])!;
    const to = from === a ? b : a;
    await from.topic.log(0).appendBatches(batch(["a"]));
    await from.engine.cluster!.drain();
    await expect.poll(() => (to.topic.log(0) as JetStreamLog).epoch, PATIENCE).toBe(3);
    await to.topic.log(0).appendBatches(batch(["b"]));
    expect(await lines(to.topic.log(0))).toEqual(["0 a", "1 b"]);
  });

  test("a broker that stops gives its partitions away first, and their producers go on", async () => {
    const start = clusterOf(1);
    const [a, b] = [await start("a"), await start("b")];
    const from = ownerOf([a, b])!;
    const to = from === a ? b : a;
    const log = from.topic.log(0);
    await log.appendBatches(numbered(["a"], 0));
    await from.engine.cluster!.drain();
    expect(await codeOf(log.appendBatches(numbered(["b"], 1)))).toBe("NOT_OWNER");
    await expect.poll(() => codeOf(to.topic.log(0).appendBatches(numbered(["b"], 1))), PATIENCE).toBeUndefined();
    await from.close();
    expect(await lines(to.topic.log(0))).toEqual(["0 a", "1 b"]);
    expect(to.engine.cluster!.otherAddresses).toEqual([]);
  });

  test("the only broker keeps its partitions when it drains", async () => {
    const a = await clusterOf(1)("a");
    await a.engine.cluster!.drain();
    expect(await codeOf(a.topic.log(0).appendBatches(batch(["a"])))).toBeUndefined();
  });

  test("a broker on standby owns nothing until it joins, unless it is the only one", async () => {
    const start = clusterOf(2);
    const a = await start("a", true);
    expect(owned(a)).toEqual([0, 1]);
    const b = await start("b");
    await expect.poll(() => owned(b), PATIENCE).toEqual([0, 1]);
    await a.engine.cluster!.join();
    await expect.poll(() => owned(a).length, PATIENCE).toBe(1);
    await a.engine.cluster!.drain();
    await a.engine.cluster!.join();
    await expect.poll(() => owned(b), PATIENCE).toEqual([0, 1]);
  });

  test("the partitions of a broker that is cut off move to another one; back again, it changes nothing by itself", async () => {
    const start = clusterOf(1);
    const [a, b] = [await start("a"), await start("b")];
    const stalled = ownerOf([a, b])!;
    const other = stalled === a ? b : a;
    const log = stalled.topic.log(0);
    await log.appendBatches(numbered(["a"], 0));
    stalled.link.holdUp();
    const late = codeOf(log.appendBatches(numbered(["zombie"], 0, 2)));
    await expect.poll(() => codeOf(other.topic.log(0).appendBatches(numbered(["b"], 1))), PATIENCE).toBeUndefined();
    expect(ownerOf([stalled])).toBeUndefined(); // before the other one became the owner
    expect(other.engine.cluster!.otherAddresses).toEqual([]);
    stalled.link.letGo();
    expect(["UNAVAILABLE", "NOT_OWNER"]).toContain(await late);
    await expect.poll(() => other.engine.cluster!.otherAddresses, PATIENCE).toEqual([stalled.address]);
    await expect.poll(() => ownersSeenBy(stalled), PATIENCE).toEqual([other.address]);
    await log.refresh();
    expect(await lines(log)).toEqual(["0 a", "1 b"]);
  });

  test("a broker that hears nothing owns nothing any more when its lease has expired", async () => {
    const a = await clusterOf(1)("a");
    a.link.silence();
    await expect.poll(() => ownerOf([a]), PATIENCE).toBeUndefined();
    a.link.letGo();
    await expect.poll(() => ownerOf([a]), PATIENCE).toBe(a);
  });

  test("an owner that was one before does not answer from what it knew then", async () => {
    const start = clusterOf(1);
    const [a, b] = [await start("a"), await start("b")];
    const first = ownerOf([a, b])!;
    const second = first === a ? b : a;
    const log = first.topic.log(0);
    await log.appendBatches(numbered(["a"], 0));
    first.link.holdUp();
    await expect.poll(() => codeOf(second.topic.log(0).appendBatches(numbered(["b"], 1))), PATIENCE).toBeUndefined();
    first.link.letGo();
    await expect.poll(() => second.engine.cluster!.otherAddresses.length, PATIENCE).toBe(1);
    await second.engine.cluster!.drain();
    await expect.poll(() => ownerOf([first]), PATIENCE).toBe(first);
    await log.refresh();
    expect(log.offsets.highWatermark).toBe(2);
  });

  test("of two brokers with the same name, the first one fails", async () => {
    const start = clusterOf(1);
    const [first, second] = [await start("a"), await start("a")];
    await expect.poll(() => first.engine.failure?.code, PATIENCE).toBe("LOCKED");
    expect(second.engine.failure).toBeUndefined();
    await expect.poll(() => ownerOf([second]), PATIENCE).toBe(second);
    expect(ownerOf([first])).toBeUndefined();
  });

  test("a coordinator that was fenced writes no change and no snapshot any more", async () => {
    const start = clusterOf(1);
    const a = await start("a");
    const late = a.engine.cluster!.journals[0]!;
    const log = (await late.open()) as PartitionLog;
    await log.appendBatches(batch(["a"]));
    const b = await start("b");
    const owner = () => b.engine.cluster!.journalOwner(0);
    a.link.holdUp();
    await expect.poll(() => owner()?.isSelf, PATIENCE).toBe(true);
    const journal = b.engine.cluster!.journals[0]!;
    const next = (await journal.open()) as PartitionLog;
    expect(await lines(next)).toEqual(["0 a"]);
    await next.appendBatches(batch(["b"]));
    await journal.replaceSnapshot((sink) => sink([Buffer.from("new")]));
    a.link.letGo();
    expect(["UNAVAILABLE", "NOT_OWNER"]).toContain(await codeOf(log.appendBatches(batch(["zombie"]))));
    expect(await codeOf(log.appendBatches(batch(["zombie"])))).toBe("NOT_OWNER");
    expect(await codeOf(late.replaceSnapshot((sink) => sink([Buffer.from("old")])))).toBe("UNAVAILABLE");
    const into = new Uint8Array(3);
    await (await journal.openSnapshot())!.read(into, 0);
    expect(Buffer.from(into).toString()).toBe("new");
    expect(await lines(next)).toEqual(["0 a", "1 b"]);
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
