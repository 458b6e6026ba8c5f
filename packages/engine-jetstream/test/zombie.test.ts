/**
 * Requests of a broker that stalls, or hears no answer, and arrive when others have gone on: they
 * take away nothing that was acknowledged since.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { batch, codeOf, lines, numbered } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";
import { SlowLink } from "./slow-link.ts";
import { StreamAudit } from "./stream-audit.ts";

describe.skipIf(natsServer() === undefined)("zombie", () => {
  let servers: NatsServers;
  let namespaces = 0;
  beforeAll(async () => {
    servers = await NatsServers.start();
  }, 60_000);
  afterAll(() => servers?.stop());

  interface Member {
    readonly link: SlowLink;
    readonly engine: JetStreamEngine;
  }

  /** Brokers of a namespace, each of which believes that it owns everything. */
  async function start(...names: string[]) {
    const namespace = `zombie-${++namespaces}`;
    const members: Member[] = [];
    for (const broker of names) {
      const link = await SlowLink.to(servers.addresses[0]!);
      const common = { servers: [link.address], namespace, replicas: 1 } as const;
      const engine = await JetStreamEngine.open({ ...common, broker, requestTimeoutMs: 2_000, appendTimeoutMs: 4_000 });
      onTestFinished(async () => {
        link.letGo();
        await engine.close();
        await link.close();
      });
      members.push({ link, engine });
    }
    return { namespace, members };
  }

  async function topicAt({ engine }: Member) {
    const [found] = (await engine.catalogue.find()).topics;
    const topic = await (found === undefined ? engine.catalogue.create("t", 1, {}) : engine.catalogue.open(found));
    onTestFinished(() => topic.close());
    return topic;
  }

  test("a purge that arrives late deletes no record and no control message that is needed", async () => {
    const { namespace, members } = await start("late", "next", "last");
    const [late, next, last] = members as [Member, Member, Member];
    const lateTopic = await topicAt(late);
    const log = lateTopic.log(0);
    for (let i = 0; i < 6; i++) await log.appendBatches(numbered([`a${i}`], i));
    const caught = late.link.holdUpAt("STREAM.PURGE");
    const deleting = log.deleteRecords(4);
    await caught; // the log start offset is stored
    const nextLog = (await topicAt(next)).log(0);
    for (let i = 6; i < 9; i++) await nextLog.appendBatches(numbered([`b${i}`], i));
    await nextLog.deleteRecords(7);
    await nextLog.appendBatches(numbered(["c9"], 9));
    late.link.letGo();
    await deleting;
    const expected = ["7 b7", "8 b8", "9 c9"];
    await expect.poll(() => lines(nextLog, 7)).toEqual(expected);
    const lastLog = (await topicAt(last)).log(0);
    expect(lastLog.offsets).toMatchObject({ logStart: 7, highWatermark: 10 });
    expect(await lastLog.appendBatches(numbered(["c9"], 9))).toMatchObject({ baseOffset: 9, duplicate: true });
    expect(await lastLog.appendBatches(numbered(["d"], 10))).toMatchObject({ baseOffset: 10, duplicate: false });
    expect(await lines(lastLog, 7)).toEqual([...expected, "10 d"]);
    const audit = await StreamAudit.begin(servers.addresses);
    onTestFinished(() => audit.close());
    await audit.look(`${namespace}-${lateTopic.id}-0`);
    expect(audit.problems).toEqual([]);
  });

  test("a purge that arrives after the records are gone, and others have come, deletes none of them", async () => {
    const { members } = await start("late", "next");
    const [late, next] = members as [Member, Member];
    const log = (await topicAt(late)).log(0);
    await log.appendBatches(batch(["a"]));
    await log.appendBatches(batch(["b"]));
    const caught = late.link.holdUpAt("STREAM.PURGE");
    const deleting = log.deleteRecords(2); // all of them
    await caught;
    const nextLog = (await topicAt(next)).log(0);
    for (const value of ["c", "d"]) await nextLog.appendBatches(batch([value]));
    late.link.letGo();
    await deleting;
    expect(await lines(nextLog, 2)).toEqual(["2 c", "3 d"]);
  });

  test("an alteration that arrives late undoes no other", async () => {
    const { members } = await start("late", "next");
    const [late, next] = members as [Member, Member];
    const [lateTopic, nextTopic] = [await topicAt(late), await topicAt(next)];
    const caught = late.link.holdUpAt("HPUB $KV.");
    const altering = codeOf(late.engine.catalogue.alter(lateTopic, (config) => ({ ...config, retentionMs: 1_000 })));
    await caught;
    await next.engine.catalogue.alter(nextTopic, (config) => ({ ...config, retentionBytes: 5 }));
    late.link.letGo();
    expect([undefined, "UNAVAILABLE"]).toContain(await altering);
    const { config } = await topicAt(next);
    expect(config).toMatchObject({ retentionBytes: 5 });
  });

  test("an alteration that arrives when the topic was created anew does not alter the new one", async () => {
    const { members } = await start("late", "next");
    const [late, next] = members as [Member, Member];
    const [lateTopic, nextTopic] = [await topicAt(late), await topicAt(next)];
    const caught = late.link.holdUpAt("HPUB $KV.");
    const altering = codeOf(late.engine.catalogue.alter(lateTopic, (config) => ({ ...config, retentionMs: 1 })));
    await caught;
    await next.engine.catalogue.delete(nextTopic);
    await next.engine.catalogue.create("t", 1, {});
    late.link.letGo();
    expect(["UNKNOWN_TOPIC", "UNAVAILABLE"]).toContain(await altering);
    expect((await topicAt(next)).config).toEqual({});
  });

  test.each([
    ["of the topic's key", "KV-Operation"],
    ["of a stream", "STREAM.DELETE"],
  ])("a deletion %s that arrives when the topic was created anew does not delete the new one", async (_, text) => {
    const { members } = await start("late", "next");
    const [late, next] = members as [Member, Member];
    const [lateTopic, nextTopic] = [await topicAt(late), await topicAt(next)];
    const caught = late.link.holdUpAt(text);
    const deleting = codeOf(late.engine.catalogue.delete(lateTopic));
    await caught;
    await next.engine.catalogue.delete(nextTopic);
    const log = (await next.engine.catalogue.create("t", 1, {})).log(0);
    await log.appendBatches(batch(["new"]));
    late.link.letGo();
    expect([undefined, "UNAVAILABLE"]).toContain(await deleting);
    expect(await lines((await topicAt(next)).log(0))).toEqual(["0 new"]);
    expect(await codeOf(log.appendBatches(batch(["newer"])))).toBeUndefined();
  });

  test("a creation whose answer is lost takes no stream away to which others have written", async () => {
    const { members } = await start("late", "next");
    const [late, next] = members as [Member, Member];
    const caught = late.link.holdUpAnswersAt("HPUB $KV.");
    const creating = codeOf(late.engine.catalogue.create("t", 1, {}));
    await caught;
    await expect.poll(async () => (await next.engine.catalogue.find()).topics.length).toBe(1);
    const log = (await topicAt(next)).log(0);
    await log.appendBatches(batch(["a"]));
    expect(await creating).toBe("UNAVAILABLE");
    late.link.letGo();
    expect(await codeOf(log.appendBatches(batch(["b"])))).toBeUndefined();
    expect(await lines((await topicAt(next)).log(0))).toEqual(["0 a", "1 b"]);
  });

  test("a snapshot of groups whose answer is lost stays whole", async () => {
    const { members } = await start("late");
    const [late] = members as [Member];
    const { journal } = late.engine;
    await journal.make();
    const caught = late.link.holdUpAnswersAt("HPUB $KV.");
    const replacing = codeOf(journal.replaceSnapshot((sink) => sink([Buffer.from("groups")])));
    await caught;
    expect(await replacing).toBe("UNAVAILABLE");
    late.link.letGo();
    const into = new Uint8Array(6);
    await expect.poll(async () => (await journal.openSnapshot())?.read(into, 0)).toBe(6);
    expect(Buffer.from(into).toString()).toBe("groups");
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
