/** The contract of the topic catalogue, also where several engines share it. */
import { expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { Bench, batch, codeOf, lines, type MakeHome } from "./home.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function catalogueContract(makeHome: MakeHome): void {
  const namesIn = async ({ catalogue }: Engine) => (await catalogue.find()).topics.map(({ topic }) => topic).sort();

  test("topics that were created are found after a reopen, with their id, configuration and records", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    expect(await engine.catalogue.find()).toEqual({ topics: [], unreadable: [] });
    const created = await bench.create(engine, "a", 3, { maxBatchBytes: 5_000, retentionMs: 60_000 });
    const other = await bench.create(engine, "b", 1);
    expect(created).toMatchObject({ topic: "a", partitionCount: 3, partitioner: "fnv1a-32", failedPartitions: [] });
    expect(created.config).toEqual({ maxBatchBytes: 5_000, retentionMs: 60_000 });
    expect([created.id, other.id]).toEqual([expect.stringMatching(UUID), expect.stringMatching(UUID)]);
    expect(created.id).not.toBe(other.id);
    expect(created.location).not.toBe("");
    for (const partition of [3, -1, 0.5]) expect(await codeOf(() => created.log(partition))).toBe("UNKNOWN_PARTITION");
    await created.log(2).appendBatches(batch(["x"]));
    await bench.close(engine);

    const again = await bench.open();
    const { topics } = await again.catalogue.find();
    expect(topics.map(({ topic, location }) => [topic, location])).toEqual(
      expect.arrayContaining([
        ["a", created.location],
        ["b", other.location],
      ]),
    );
    for (const found of topics) expect(await again.catalogue.partitionCount(found)).toBe(found.topic === "a" ? 3 : 1);
    const reopened = await bench.find(again, "a");
    expect(reopened).toMatchObject({ id: created.id, partitionCount: 3, config: created.config });
    expect(await lines(reopened.log(2))).toEqual(["0 x"]);
    expect(reopened.log(0).partition).toBe(0);
  });

  test("a configuration is altered at once and for good, or not at all", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const topic = await bench.create(engine, "t", 1, { maxBatchBytes: 5_000 });
    const log = topic.log(0);
    await engine.catalogue.alter(topic, (config) => ({ ...config, maxBatchBytes: 100 }));
    expect(topic.config).toEqual({ maxBatchBytes: 100 });
    expect(await codeOf(log.appendBatches(batch(["x".repeat(100)])))).toBe("BATCH_TOO_LARGE");
    const refused = engine.catalogue.alter(topic, () => {
      throw new RangeError("no");
    });
    await expect(refused).rejects.toBeInstanceOf(RangeError);
    expect(topic.config).toEqual({ maxBatchBytes: 100 });
    expect(engine.catalogue.effectiveConfig(topic.config)).toMatchObject({ maxBatchBytes: 100 });
    await bench.close(engine);
    const reopened = await bench.find(await bench.open());
    expect(reopened.config).toEqual({ maxBatchBytes: 100 });
    expect(await codeOf(reopened.log(0).appendBatches(batch(["x".repeat(100)])))).toBe("BATCH_TOO_LARGE");
  });

  test("a deleted topic is gone; one that is created again under its name is another", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const topic = await bench.create(engine);
    await topic.log(0).appendBatches(batch(["old"]));
    await topic.close();
    await engine.catalogue.delete(topic);
    expect(await namesIn(engine)).toEqual([]);
    const next = await bench.create(engine, "t", 2);
    expect(next.id).not.toBe(topic.id);
    expect(next.log(0).offsets.logEnd).toBe(0);
    await next.close();
    await engine.catalogue.delete(next);
    await bench.close(engine);
    expect(await namesIn(await bench.open())).toEqual([]);
  });

  test("a closed topic can be opened again: its deletion may have failed", async () => {
    const bench = await Bench.in(makeHome);
    const engine = await bench.open();
    const topic = await bench.create(engine);
    await topic.log(0).appendBatches(batch(["a"]));
    await topic.close();
    const reopened = await engine.catalogue.open(topic);
    expect(reopened.id).toBe(topic.id);
    expect(await lines(reopened.log(0))).toEqual(["0 a"]);
    await reopened.close();
  });

  test("a configuration that the engine cannot provide is refused", async () => {
    const { catalogue } = await (await Bench.in(makeHome)).open();
    for (const config of [{ maxBatchBytes: -1 }, { retentionMs: 0.5 }, { durability: "never" }]) {
      expect(await codeOf(() => catalogue.effectiveConfig(config as never))).toBe("INVALID_ARGUMENT");
    }
    const { durability, maxBatchBytes } = catalogue.effectiveConfig({});
    expect(durability).toBeTypeOf("string");
    expect(maxBatchBytes).toBeGreaterThan(0);
  });
}

/** For engines that several brokers share. */
export function sharedContract(makeHome: MakeHome): void {
  /** Two engines on one home, and the topics of which the second was told. */
  async function two() {
    const bench = await Bench.in(makeHome);
    const [first, second] = [await bench.open(), await bench.open()];
    const told: string[] = [];
    second.catalogue.shared!.onChange((topic) => told.push(topic));
    const until = async (count: number) => {
      while (told.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
      return told;
    };
    return { bench, first, second, until };
  }

  test("another broker is told of a topic that is created, altered and deleted, and finds it so", async () => {
    const { bench, first, second, until } = await two();
    const topic = await bench.create(first, "t", 2, { retentionMs: 60_000 });
    expect(await until(1)).toEqual(["t"]);
    const { shared } = second.catalogue;
    const found = (await shared!.lookUp("t"))!;
    expect(found).toMatchObject({ topic: "t", id: topic.id });
    const other = await second.catalogue.open(found);
    await topic.log(1).appendBatches(batch(["a"]));
    await other.log(1).refresh();
    expect(await lines(other.log(1))).toEqual(["0 a"]);
    await first.catalogue.alter(topic, (config) => ({ ...config, maxBatchBytes: 1_000 }));
    expect(await until(2)).toEqual(["t", "t"]);
    expect(other.config).toEqual({ retentionMs: 60_000, maxBatchBytes: 1_000 });
    await topic.close();
    await first.catalogue.delete(topic);
    expect(await until(3)).toEqual(["t", "t", "t"]);
    expect(await shared!.lookUp("t")).toBeUndefined();
    expect(await other.log(1).waitBeyond(1)).toBe(true);
    expect(await codeOf(other.log(1).appendBatches(batch(["b"])))).toBe("CLOSED");
    await other.close();
  });

  test("of two brokers that create a topic of one name, one succeeds; two that alter it lose nothing", async () => {
    const { bench, first, second } = await two();
    const both = await Promise.allSettled([bench.create(first), bench.create(second)]);
    const refused = both.filter(({ status }) => status === "rejected");
    expect(refused).toEqual([{ status: "rejected", reason: expect.objectContaining({ code: "TOPIC_EXISTS" }) }]);
    const [a, b] = [await bench.find(first), await bench.find(second)];
    await Promise.all([
      first.catalogue.alter(a, (config) => ({ ...config, retentionMs: 60_000 })),
      second.catalogue.alter(b, (config) => ({ ...config, maxBatchBytes: 1_000 })),
    ]);
    const found = await bench.find(first);
    expect(found.config).toEqual({ retentionMs: 60_000, maxBatchBytes: 1_000 });
  });

  test("a topic that another broker has deleted cannot be altered; deleting it once more succeeds, and spares its successor", async () => {
    const { bench, first, second } = await two();
    const topic = await bench.create(first);
    const other = await bench.find(second);
    await topic.close();
    await first.catalogue.delete(topic);
    expect(await codeOf(second.catalogue.alter(other, (config) => config))).toBe("UNKNOWN_TOPIC");
    const successor = await bench.create(first);
    expect(await codeOf(second.catalogue.alter(other, (config) => config))).toBe("UNKNOWN_TOPIC");
    await other.close();
    await second.catalogue.delete(other);
    expect((await second.catalogue.shared!.lookUp("t"))?.id).toBe(successor.id);
  });
}
