/**
 * Two brokers that both believe they own a partition: nothing that was acknowledged is lost,
 * doubled or moved.
 */
import type { PartitionLog } from "@logstore/core/engine";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { batch, codeOf, lines, numbered } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";
import { SlowLink } from "./slow-link.ts";

describe.skipIf(natsServer() === undefined)("fence", () => {
  let servers: NatsServers;
  let namespaces = 0;
  beforeAll(async () => {
    servers = await NatsServers.start();
  }, 60_000);
  afterAll(() => servers?.stop());

  /** Brokers with a link of their own each, and their logs of the same partition. */
  async function brokers(count: number) {
    const namespace = `fence-${++namespaces}`;
    const made: { link: SlowLink; log: PartitionLog }[] = [];
    for (let i = 0; i < count; i++) {
      const link = await SlowLink.to(servers.addresses[0]!);
      const engine = await JetStreamEngine.open({
        servers: [link.address],
        namespace,
        broker: `b${i}`,
        replicas: 1,
        requestTimeoutMs: 300,
        appendTimeoutMs: 2_000,
      });
      const found = (await engine.catalogue.find()).topics[0];
      const topic =
        found === undefined ? await engine.catalogue.create("t", 1, {}) : await engine.catalogue.open(found);
      onTestFinished(async () => {
        link.letGo();
        await topic.close();
        await engine.close();
        await link.close();
      });
      made.push({ link, log: topic.log(0) });
    }
    return made;
  }

  test("a broker that was taken over is refused, learns what came between, and may take over again", async () => {
    const [a, b] = (await brokers(2)).map(({ log }) => log) as [PartitionLog, PartitionLog];
    await a.appendBatches(numbered(["a"], 0, 1));
    await b.appendBatches(numbered(["b"], 0, 2));
    expect(await codeOf(a.appendBatches(numbered(["c"], 1, 1)))).toBe("UNAVAILABLE");
    expect(await codeOf(a.appendBatches(numbered(["c"], 1, 1)))).toBeUndefined();
    expect(await lines(a)).toEqual(["0 a", "1 b", "2 c"]);
    expect(await codeOf(b.appendBatches(numbered(["d"], 1, 2)))).toBe("UNAVAILABLE");
    expect(await b.appendBatches(numbered(["b"], 0, 2))).toMatchObject({ baseOffset: 1, duplicate: true });
  });

  test("a broker that was taken over refuses nothing because of what it knew before", async () => {
    const [a, b] = (await brokers(2)).map(({ log }) => log) as [PartitionLog, PartitionLog];
    await a.appendBatches(numbered(["a"], 0));
    await b.appendBatches(numbered(["b"], 1));
    expect(await codeOf(a.appendBatches(numbered(["c"], 2)))).toBe("UNAVAILABLE"); // not OUT_OF_ORDER_SEQUENCE
    await a.appendBatches(numbered(["c"], 2));
    await b.appendBatches(numbered(["d"], 3)).catch(() => {});
    expect(await codeOf(b.appendBatches(numbered(["d"], 3)))).toBeUndefined();
    const { logEnd } = b.offsets;
    expect(await codeOf(a.appendBatches(batch(["e"]), { expectedOffset: logEnd }))).toBe("UNAVAILABLE");
    expect(await a.appendBatches(batch(["e"]), { expectedOffset: logEnd })).toMatchObject({ baseOffset: logEnd });
    expect(await codeOf(a.appendBatches(batch(["f"]), { expectedOffset: 0 }))).toBe("WRONG_EXPECTED_OFFSET");
  });

  test("a message that arrives after a takeover is not stored", async () => {
    const [a, b] = (await brokers(2)) as [{ link: SlowLink; log: PartitionLog }, { link: SlowLink; log: PartitionLog }];
    await a.log.appendBatches(batch(["a"]));
    a.link.holdUp();
    const late = codeOf(a.log.appendBatches(batch(["zombie"])));
    await b.log.appendBatches(batch(["b"]));
    a.link.letGo();
    expect(await late).toBe("UNAVAILABLE");
    await b.log.appendBatches(batch(["c"]));
    expect(await lines(b.log)).toEqual(["0 a", "1 b", "2 c"]);
  });

  test("a late deletion of records is refused, too", async () => {
    const [a, b] = (await brokers(2)) as [{ link: SlowLink; log: PartitionLog }, { link: SlowLink; log: PartitionLog }];
    for (const value of ["a", "b", "c"]) await a.log.appendBatches(batch([value]));
    a.link.holdUp();
    const late = codeOf(a.log.deleteRecords(3));
    await b.log.appendBatches(batch(["d"]));
    a.link.letGo();
    expect(await late).toBe("UNAVAILABLE");
    expect(await lines(b.log)).toEqual(["0 a", "1 b", "2 c", "3 d"]);
  });

  test("a message whose acknowledgement is lost is stored once, and acknowledged", async () => {
    const [a] = (await brokers(1)) as [{ link: SlowLink; log: PartitionLog }];
    await a.log.appendBatches(batch(["a"]));
    const losing = a.link.loseAnswers(200);
    // Without a producer id: the engine itself must know its message again.
    expect(await a.log.appendBatches(batch(["b"]))).toMatchObject({ baseOffset: 1, duplicate: false });
    await losing;
    await a.log.appendBatches(batch(["c"]));
    expect(await lines(a.log)).toEqual(["0 a", "1 b", "2 c"]);
  });

  test("an outcome that is not known in time is known later: the same batches are acknowledged, once", async () => {
    const [a] = (await brokers(1)) as [{ link: SlowLink; log: PartitionLog }];
    await a.log.appendBatches(numbered(["a"], 0));
    a.link.holdUp();
    expect(await codeOf(a.log.appendBatches(numbered(["b"], 1)))).toBe("UNAVAILABLE");
    expect([a.log.failure, a.log.damage, a.log.knownDamage]).toEqual([undefined, undefined, undefined]);
    const again = a.log.appendBatches(numbered(["b"], 1));
    a.link.letGo();
    expect(await again).toMatchObject({ baseOffset: 1 });
    expect(await lines(a.log)).toEqual(["0 a", "1 b"]);
  });

  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  test(`producers that change brokers, over links that are held up and cut: acknowledged once, in order (SEED=${seed})`, async () => {
    const random = randomOf(seed);
    const made = await brokers(2);
    const acked: { value: string; offset: number }[] = [];
    const deadline = Date.now() + Number(process.env["FENCE_MS"] ?? 4_000);

    const produce = async (producerId: number) => {
      for (let sequence = 0; Date.now() < deadline; sequence++) {
        const value = `${producerId}.${sequence}`;
        for (let isAcked = false; !isAcked; ) {
          const { log } = made[Math.floor(random() * made.length)]!;
          const bytes = batch([value], { producerId, producerEpoch: 0, baseSequence: sequence });
          try {
            acked.push({ value, offset: (await log.appendBatches(bytes)).baseOffset });
            isAcked = true;
          } catch (error) {
            expect((error as { code: string }).code, `seed ${seed}`).toBe("UNAVAILABLE");
          }
        }
      }
    };
    const disturb = async () => {
      while (Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, random() * 400));
        const { link } = made[Math.floor(random() * made.length)]!;
        const kind = random();
        if (kind < 0.3) link.cut();
        else if (kind < 0.5) await link.loseAnswers(random() * 50);
        else link.holdUp();
        await new Promise((resolve) => setTimeout(resolve, random() * 150));
        link.letGo();
      }
    };
    await Promise.all([disturb(), ...[1, 2, 3, 4].map(produce)]);

    const { log } = made[0]!;
    await log.refresh();
    await expect.poll(() => codeOf(log.appendBatches(batch(["end"])))).toBeUndefined(); // its bounds are exact now
    const read = await lines(log);
    expect(
      read.map((line) => Number(line.split(" ")[0])),
      `seed ${seed}`,
    ).toEqual(read.map((_, i) => i));
    for (const { value, offset } of acked) expect(read[offset], `seed ${seed}`).toBe(`${offset} ${value}`);
    const values = read.map((line) => line.split(" ")[1]).filter((value) => value !== "end");
    expect(new Set(values).size, `seed ${seed}`).toBe(values.length);
    expect(values.length, `seed ${seed}`).toBe(acked.length);
    for (const producer of [1, 2, 3, 4]) {
      const own = values.filter((value) => value!.startsWith(`${producer}.`));
      expect(own, `seed ${seed}`).toEqual(own.map((_, i) => `${producer}.${i}`));
    }
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});

/** mulberry32 */
function randomOf(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
