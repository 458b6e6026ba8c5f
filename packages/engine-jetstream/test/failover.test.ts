/**
 * Nodes of a NATS cluster die while producers append: what was acknowledged is there, once, in
 * order.
 */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { batch, lines } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";

describe.skipIf(natsServer() === undefined)("failover", () => {
  let servers: NatsServers;
  beforeAll(async () => {
    servers = await NatsServers.start({ count: 3 });
  }, 60_000);
  afterAll(() => servers?.stop());

  test("each node is killed in turn, under way", { timeout: 120_000 }, async () => {
    const engine = await JetStreamEngine.open({ servers: servers.addresses, requestTimeoutMs: 1_000 });
    const topic = await engine.catalogue.create("t", 1, {});
    onTestFinished(async () => {
      await topic.close();
      await engine.close();
    });
    const log = topic.log(0);
    const acked: { value: string; offset: number }[] = [];
    let isOver = false;
    const produce = async (producerId: number) => {
      for (let sequence = 0; !isOver; ) {
        const bytes = batch([`${producerId}.${sequence}`], { producerId, producerEpoch: 0, baseSequence: sequence });
        try {
          const { baseOffset, durability } = await log.appendBatches(bytes);
          expect(durability).toBe("replicated");
          acked.push({ value: `${producerId}.${sequence}`, offset: baseOffset });
          sequence++;
        } catch (error) {
          expect((error as { code: string }).code).toBe("UNAVAILABLE");
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    const kill = async () => {
      for (let i = 0; i < 3; i++) {
        const before = acked.length;
        servers.signal(i, "SIGKILL");
        // Two are a quorum: the producers go on before the node is back.
        await expect.poll(() => acked.length, { timeout: 30_000 }).toBeGreaterThan(before + 20);
        servers.startNode(i);
        await servers.caughtUp();
      }
      isOver = true;
    };
    await Promise.all([kill().finally(() => (isOver = true)), ...[1, 2, 3].map(produce)]);

    const read = await lines(log);
    for (const { value, offset } of acked) expect(read[offset]).toBe(`${offset} ${value}`);
    const values = read.map((line) => line.split(" ")[1]);
    expect(new Set(values).size).toBe(values.length);
    expect(values.length).toBe(acked.length);
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
