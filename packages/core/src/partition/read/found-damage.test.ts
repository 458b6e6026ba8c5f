/** Damage that a read finds after the log was opened is reported to all other callers. */
import { expect, onTestFinished, test } from "vitest";
import { codeOf } from "../../../test/records.js";
import { Broker, type DamagedEvent } from "../../index.js";
import { SimulatedDisk } from "../../testing/index.js";

const RECORDS = 30;
const VALUE_BYTES = 100;

async function filled() {
  const disk = new SimulatedDisk();
  const events: DamagedEvent[] = [];
  const hooks = { damaged: (event: DamagedEvent) => void events.push(event) };
  const broker = await Broker.open("data", { storage: disk, segmentBytes: 1000, tailCacheBytes: 0, hooks });
  onTestFinished(() => broker.close().catch(() => {}));
  await broker.createTopic({ topic: "t", partitions: 2 });
  const store = broker.topic("t");
  for (let i = 0; i < RECORDS; i++) await store.append(null, `${i}`.padEnd(VALUE_BYTES), { partition: 0 });
  const files = disk.paths().filter((path) => /\/topics\/[0-9a-f]+\/0\/.*\.log$/.test(path));
  const damage = async () => (await broker.describeTopic("t")).partitions[0]!.damage;
  /** Flips a bit in the record of the last batch of a file. */
  const rot = (path: string) => disk.flipBit(path, 8 * (disk.content(path).length - 20));
  return { disk, broker, store, events, files, damage, rot };
}

const readAll = (records: AsyncIterable<unknown>) => codeOf(Array.fromAsync(records));

test("bit rot is reported once, with its position, until a verification finds nothing", async () => {
  const { broker, store, events, files, damage, rot } = await filled();
  let changes = 0;
  broker.onTopicHealth(() => changes++);
  const path = files[1]!;
  const baseOffset = Number(path.match(/(\d+)\.log$/)![1]);
  rot(path);
  expect(await damage()).toBeUndefined(); // nothing has read the damaged batch yet
  for (let i = 0; i < 2; i++) expect(await readAll(store.read(0))).toBe("CORRUPT_PARTITION");
  const found = await damage();
  expect(found).toMatchObject({ code: "CORRUPT_PARTITION", partition: 0 });
  expect(found!.offset).toBeGreaterThanOrEqual(baseOffset);
  expect(found!.file).toBe(path.split("/").slice(-2).join("/"));
  expect(events).toMatchObject([{ topic: "t", partition: 0, error: { code: "CORRUPT_PARTITION" } }]);
  expect(changes).toBe(1);
  expect([store.failedPartitions, await broker.topicHealth("t")]).toEqual([[0], "failed"]);
  // The end of the log is known, appends are accepted, and records after the damage can be read.
  expect((await store.append(null, "on", { partition: 0 })).offset).toBe(RECORDS);
  expect(await Array.fromAsync(store.read(0, { from: found!.offset! + 1 }))).toHaveLength(RECORDS - found!.offset!);
  // A reader of batches does not check the records: that it reaches the end proves nothing.
  for await (const _ of broker.consume({ topic: "t", partition: 0, until: "latest" }));
  expect(await damage()).toEqual(found);
  rot(path);
  for await (const _ of store.verify());
  expect([await damage(), store.failedPartitions]).toEqual([undefined, []]);
});

test("the lowest damage is reported, except for deleted records", async () => {
  const { store, files, damage, rot } = await filled();
  rot(files[2]!);
  const findings = await Array.fromAsync(store.verify());
  const [later] = findings.filter(({ type }) => type === "finding");
  expect(await damage()).toMatchObject({ code: "CORRUPT_PARTITION", offset: (later as { offset: number }).offset });
  rot(files[0]!);
  await readAll(store.read(0));
  const first = await damage();
  expect(first!.offset).toBeLessThan((later as { offset: number }).offset);
  await store.deleteRecords(0, first!.offset! + 1);
  expect((await damage())!.offset).toBe((later as { offset: number }).offset);
  const repaired = await store.repair({ dryRun: false });
  expect(repaired).toMatchObject([{ kind: "damage" }]);
  expect(await damage()).toBeUndefined();
});

test("a removed file is damage; a lack of descriptors is not", async () => {
  const { disk, broker, store, files, damage } = await filled();
  disk.failAt(1, "EMFILE", { when: ({ kind }) => kind === "openFile", forGood: true });
  await store.close();
  disk.mend();
  await broker.close();
  const again = await Broker.open("data", { storage: disk, tailCacheBytes: 0, maxOpenFiles: 1 });
  onTestFinished(() => again.close().catch(() => {}));
  const topic = again.topic("t");
  disk.failAt(1, "EMFILE", { when: ({ kind }) => kind === "openFile", forGood: true });
  expect(await readAll(topic.read(0))).toBe("STORAGE_FAILED");
  disk.mend();
  expect((await again.describeTopic("t")).partitions[0]!.damage).toBeUndefined();
  await disk.remove(files[0]!);
  expect(await readAll(topic.read(0))).toBe("STORAGE_FAILED");
  expect((await again.describeTopic("t")).partitions[0]!.damage).toMatchObject({ code: "STORAGE_FAILED", offset: 0 });
  expect(await damage()).toBeUndefined(); // the other broker is closed
});
