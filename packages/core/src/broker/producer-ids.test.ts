/** Each producer id is allocated once, whatever crashes. */
import { expect, onTestFinished, test } from "vitest";
import { failAt, HookedStorage } from "../../test/hooked-storage.js";
import { caught, codeOf, sealed } from "../../test/records.js";
import { Broker } from "../index.js";
import { MemoryEngine } from "../memory-engine/memory-engine.js";
import { ProducerIds } from "./producer-ids.js";

async function open(storage: HookedStorage): Promise<Broker> {
  const broker = await Broker.open("data", { storage });
  onTestFinished(() => broker.close());
  return broker;
}

function allocate(broker: Broker, count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => broker.allocateProducerId()));
}

test("ids count up from 1, also with concurrent calls", async () => {
  const storage = new HookedStorage();
  const broker = await open(storage);
  expect(await allocate(broker, 2500)).toEqual(Array.from({ length: 2500 }, (_, i) => i + 1));
  expect(storage.calls.filter(({ kind, path }) => kind === "rename" && path.endsWith("producer-ids"))).toHaveLength(3);
});

test("no id is allocated twice after a crash or a close", async () => {
  const storage = new HookedStorage();
  const seen = new Set<number>();
  for (let round = 0; round < 6; round++) {
    const broker = await open(storage);
    for (const id of await allocate(broker, [1, 999, 1000, 1001, 1, 5][round]!)) {
      expect(seen.has(id)).toBe(false);
      expect(Number.isSafeInteger(id) && id > 0).toBe(true);
      seen.add(id);
    }
    if (round % 2 === 0) await broker.close();
  }
});

test("no id is allocated before its block is reserved durably, and a failed reservation is tried again", async () => {
  for (const [kind, path] of [
    ["createFile", "producer-ids.tmp"],
    ["write", "producer-ids.tmp"],
    ["sync", "producer-ids.tmp"],
    ["rename", "producer-ids"],
    ["syncDirectory", "data"],
  ] as const) {
    const storage = new HookedStorage();
    const broker = await open(storage);
    storage.before = failAt(kind, 1, path);
    expect(await caught(broker.allocateProducerId())).toMatchObject({ code: "STORAGE_FAILED" });
    const id = await broker.allocateProducerId();
    await expect((await open(storage)).allocateProducerId()).resolves.toBeGreaterThan(id);
  }
});

test("with a damaged file no id is allocated, because it might be in use; the broker can be opened", async () => {
  const storage = new HookedStorage();
  const broker = await open(storage);
  await allocate(broker, 1);
  await broker.close();
  const file = await storage.openFile("data/producer-ids", "write");
  const content = Buffer.alloc(await file.size());
  await file.read(content, 0);
  for (let byte = 0; byte < content.length; byte += 3) {
    const flipped = Buffer.from(content);
    flipped[byte]! ^= 1;
    await file.write([flipped], 0);
    const again = await Broker.open("data", { storage });
    expect(await caught(again.allocateProducerId())).toMatchObject({ code: "STORAGE_FAILED", file: "producer-ids" });
    if (byte === 0) {
      await again.createTopic({ topic: "t", partitions: 1 });
      expect((await again.produce({ topic: "t", partition: 0, batches: sealed(["x"]) })).baseOffset).toBe(0);
    }
    await again.close();
  }
  await file.write([content], 0);
  expect(await (await open(storage)).allocateProducerId()).toBe(1001);
});

test("a closed broker allocates no ids", async () => {
  const broker = await open(new HookedStorage());
  await broker.close();
  expect(await codeOf(broker.allocateProducerId())).toBe("CLOSED");
});

test("two brokers on one map hand out different ids", async () => {
  const { map } = new MemoryEngine();
  const brokers = [new ProducerIds(map), new ProducerIds(map)];
  const ids = await Promise.all(Array.from({ length: 2_500 }, (_, i) => brokers[i % 2]!.next()));
  expect(new Set(ids).size).toBe(2_500);
});
