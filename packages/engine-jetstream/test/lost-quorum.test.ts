/** NATS stops answering, and answers again: what the engine reports of it, and that it goes on. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { batch, codeOf } from "../../core/test/engine-contract/home.ts";
import { JetStreamEngine, type JetStreamEvent } from "../src/index.ts";
import { NatsServers, natsServer, SKIPPED } from "./nats-servers.ts";

const PATIENCE = { timeout: 20_000 };

describe.skipIf(natsServer() === undefined)("lost quorum", () => {
  let servers: NatsServers;
  beforeAll(async () => {
    servers = await NatsServers.start();
  }, 60_000);
  afterAll(() => servers?.stop());

  test("the lease, the partition and the write that waits are reported, and all of them come back", async () => {
    const events: JetStreamEvent[] = [];
    const engine = await JetStreamEngine.open({
      servers: servers.addresses,
      namespace: "lost",
      replicas: 1,
      broker: "a",
      address: "127.0.0.1:1",
      leaseMs: 1_500,
      requestTimeoutMs: 500,
      onEvent: (event) => events.push(event),
    });
    const told = vi.fn();
    engine.onHealth(told);
    const ofType = (type: JetStreamEvent["type"]) => events.filter((event) => event.type === type);
    try {
      const topic = await engine.catalogue.create("orders", 2, {});
      await topic.log(1).appendBatches(batch(["a"]));
      expect(ofType("takeover")).toEqual([
        expect.objectContaining({ topic: "orders", partition: 1, epoch: 1, durationMs: expect.any(Number) }),
      ]);
      const { journals } = engine.cluster!;
      const journal = await journals[0]!.open();
      const unavailableJournals = () => journals.flatMap(({ isUnavailable }, i) => (isUnavailable ? [i] : []));
      expect([engine.unavailable, topic.failedPartitions, unavailableJournals()]).toEqual([undefined, [], []]);

      servers.signal(0, "SIGSTOP");
      const waiting = topic.log(1).appendBatches(batch(["b"]));
      waiting.catch(() => {});
      const change = journal!.appendBatches(batch(["c"]));
      change.catch(() => {});
      expect(await codeOf(journals[1]!.open())).toBe("UNAVAILABLE");
      expect(unavailableJournals()).toEqual([1]);
      await expect.poll(() => engine.unavailable?.code, PATIENCE).toBe("UNAVAILABLE");
      await expect.poll(() => topic.failedPartitions, PATIENCE).toEqual([1]);
      await expect.poll(() => unavailableJournals(), PATIENCE).toContain(0);
      expect(ofType("renewal_failed").length).toBeGreaterThan(0);
      expect(ofType("lease")).toEqual([{ type: "lease", isLost: true }]);
      const lost = ofType("quorum");
      expect(lost).toHaveLength(2);
      expect(lost).toContainEqual(expect.objectContaining({ topic: "orders", partition: 1, isLost: true }));
      expect(lost).toContainEqual(expect.objectContaining({ journal: "=0", isLost: true }));
      told.mockClear();

      servers.signal(0, "SIGCONT");
      await expect.poll(() => [engine.unavailable, topic.failedPartitions], PATIENCE).toEqual([undefined, []]);
      await expect.poll(() => unavailableJournals(), PATIENCE).toEqual([]);
      await change;
      expect(await waiting).toMatchObject({ baseOffset: 1, nextOffset: 2 });
      expect(ofType("lease").at(-1)).toEqual({ type: "lease", isLost: false });
      expect(ofType("quorum")).toContainEqual({ type: "quorum", topic: "orders", partition: 1, isLost: false });
      expect(ofType("outcome")).toContainEqual(expect.objectContaining({ topic: "orders", partition: 1 }));
      expect(told).toHaveBeenCalled();
    } finally {
      servers.signal(0, "SIGCONT");
      await engine.close();
    }
  }, 60_000);
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
