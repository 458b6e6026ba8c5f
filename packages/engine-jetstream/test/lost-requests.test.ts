/**
 * Requests that NATS drops or that nobody hears, as of a stream that was created a moment ago, and
 * answers that are lost.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, type TestContext, test } from "vitest";
import { batch, lines } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine, type JetStreamEvent } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";
import { SlowLink } from "./slow-link.ts";

type OnTestFinished = TestContext["onTestFinished"];

const LEASE_MS = 3_000;

describe.skipIf(natsServer() === undefined)("NATS does not answer one request", () => {
  let servers: NatsServers;
  let silent: NatsConnection; // takes what is lost, and does not answer
  let namespaces = 0;
  beforeAll(async () => {
    servers = await NatsServers.start();
    silent = await connect({ servers: servers.addresses });
    silent.subscribe("$LS.>", { callback() {} });
    await silent.flush();
  }, 60_000);
  afterAll(async () => {
    await silent?.close();
    await servers?.stop();
  });

  /** A link on which requests can be lost. */
  async function link(onTestFinished: OnTestFinished): Promise<SlowLink> {
    const to = await SlowLink.to(servers.addresses[0]!);
    onTestFinished(() => to.close());
    return to;
  }

  async function broker(to: SlowLink, namespace: string, onTestFinished: OnTestFinished, leaseMs = LEASE_MS) {
    const events: JetStreamEvent[] = [];
    const engine = await JetStreamEngine.open({
      servers: [to.address],
      namespace,
      replicas: 1,
      broker: "a",
      address: "a.example:7411",
      leaseMs,
      onEvent: (event) => events.push(event),
    });
    onTestFinished(() => engine.close());
    return { engine, events };
  }

  const atStart = [
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.KV_",
    "$JS.API.STREAM.CREATE.KV_",
    "$JS.API.CONSUMER.CREATE.KV_",
    "$JS.API.STREAM.MSG.GET.KV_",
  ];
  const losses = ["loseRequest", "leaveUnheard"] as const;
  test.concurrent.for(losses.flatMap((lose) => atStart.map((subject) => [lose, subject] as const)))(
    "a broker starts: %s %s",
    async ([lose, subject], { expect, onTestFinished }) => {
      const to = await link(onTestFinished);
      to[lose](subject);

      const { engine } = await broker(to, `lost-${++namespaces}`, onTestFinished);

      expect(to.hasLostRequest).toBe(true);
      expect(engine.unavailable).toBeUndefined();
    },
  );

  test.concurrent("a broker starts: NATS takes longer than a lease lasts", async ({ expect, onTestFinished }) => {
    const to = await link(onTestFinished);
    const namespace = `lost-${++namespaces}`;
    const caught = to.holdUpAt(`HPUB $KV.${namespace}.lease.a`);
    const opening = broker(to, namespace, onTestFinished, 600);
    await caught;
    await sleep(1_200);
    to.letGo();

    expect((await opening).engine.unavailable).toBeUndefined();
  });

  test.concurrent.for([...losses, "loseAnswer"] as const)(
    "a broker keeps its lease: %s",
    async (lose, { expect, onTestFinished }) => {
      const to = await link(onTestFinished);
      const namespace = `lost-${++namespaces}`;
      const { engine, events } = await broker(to, namespace, onTestFinished);

      to[lose](`$KV.${namespace}.lease.a`);
      await expect.poll(() => to.hasLostRequest).toBe(true);
      await sleep(LEASE_MS); // longer than the lease is valid without another renewal

      expect(events.filter(({ type }) => type === "lease")).toEqual([]);
      expect(engine.unavailable).toBeUndefined();
    },
  );

  test.concurrent.for([...losses, "loseAnswer"] as const)(
    "a partition is taken over, and read by who has read nothing: %s",
    async (lose, { expect, onTestFinished }) => {
      const to = await link(onTestFinished);
      // as long as what a lost subject begins with
      const namespace = { loseRequest: "lrq", leaveUnheard: "unh", loseAnswer: "lan" }[lose];
      const open = async () => {
        const engine = await JetStreamEngine.open({ servers: [to.address], namespace, replicas: 1 });
        onTestFinished(() => engine.close());
        const [found] = (await engine.catalogue.find()).topics;
        const topic = await (found === undefined ? engine.catalogue.create("t", 1, {}) : engine.catalogue.open(found));
        onTestFinished(() => topic.close());
        return topic.log(0);
      };
      const writer = await open();
      to[lose](`${namespace}.log.`);
      await writer.appendBatches(batch(["a", "b"]));
      expect(to.hasLostRequest).toBe(true);

      const reader = await open();
      to[lose](`$JS.API.DIRECT.GET.${namespace}`);
      expect(await lines(reader)).toEqual(["0 a", "1 b"]);
      expect(to.hasLostRequest).toBe(true);
    },
  );

  test.concurrent("changes that nobody hears are made again", async ({ expect, onTestFinished }) => {
    const to = await link(onTestFinished);
    const namespace = "chg"; // as long as what a lost subject begins with
    const engine = await JetStreamEngine.open({ servers: [to.address], namespace, replicas: 1 });
    onTestFinished(() => engine.close());
    const unheard = async <T>(subject: string, change: Promise<T>): Promise<T> => {
      to.leaveUnheard(subject);
      const result = await change;
      expect(to.hasLostRequest).toBe(true);
      return result;
    };
    const { catalogue, journal } = engine;

    await unheard("$JS.API.STREAM.CREATE.chg-", catalogue.create("a", 1, {}));
    const topic = await unheard("$KV.chg.topic.b", catalogue.create("b", 1, {}));
    onTestFinished(() => topic.close());
    await unheard(
      "$KV.chg.topic.b",
      catalogue.alter(topic, () => ({ retentionMs: 60_000 })),
    );
    await unheard("$KV.chg.topic.b", catalogue.delete(topic));
    expect((await catalogue.find()).topics.map((each) => each.topic)).toEqual(["a"]);
    await unheard(
      "$JS.API.STREAM.CREATE.chg-snapshot",
      journal.replaceSnapshot((sink) => sink([Buffer.from("one")])),
    );
    await unheard(
      "chg.snapshot.",
      journal.replaceSnapshot((sink) => sink([Buffer.from("two")])),
    );
    const snapshot = await unheard("$JS.API.STREAM.MSG.GET.KV_chg", journal.openSnapshot());
    const bytes = Buffer.alloc(3);
    await unheard("$JS.API.STREAM.MSG.GET.chg-snapshot", snapshot!.read(bytes, 0));
    expect(bytes.toString()).toBe("two");
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
