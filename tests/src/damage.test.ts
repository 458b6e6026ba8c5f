/**
 * Damage is distinguished from the end of a log by every way to read, describe, list, reset and
 * measure lag, in every home.
 */
import { type LogClient, type SkippedRecords, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { SimulatedDisk } from "@logstore/core/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Home, homes } from "./homes.ts";

const TOPIC = "t";
const RECORDS = 30;
/** Number of records left without the last segment. */
const LEFT = 25;

/**
 * A disk with a topic of several segments, whose records a group has committed up to `committed`.
 */
async function filledDisk({ committed = 0 } = {}): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const broker = await Broker.open(":memory:", { storage: disk, segmentBytes: 1_000 });
  await broker.createTopic({ topic: TOPIC, partitions: 2 });
  const store = broker.topic(TOPIC);
  for (let i = 0; i < RECORDS; i++) await store.append(null, `${i}`.padEnd(100), { partition: 0 });
  await store.append(null, "sound", { partition: 1 });
  if (committed > 0) {
    await broker.commitOffsets({ group: "g", offsets: [{ topic: TOPIC, partition: 0, offset: committed }] });
  }
  await broker.close();
  return disk.copy();
}

function partitionFiles(disk: SimulatedDisk, suffix: string): string[] {
  return disk.paths().filter((path) => /\/topics\/[0-9a-f]+\/0\//.test(path) && path.endsWith(suffix));
}

async function withoutLastSegment(): Promise<SimulatedDisk> {
  const disk = await filledDisk({ committed: 5 });
  await disk.remove(partitionFiles(disk, ".log").at(-1)!);
  return disk;
}

async function withFault(isHit: (path: string, disk: SimulatedDisk) => boolean): Promise<SimulatedDisk> {
  const disk = await filledDisk({ committed: 5 });
  disk.failAt(1, "EIO", { when: ({ kind, path }) => kind === "openFile" && isHit(path, disk), forGood: true });
  return disk;
}

/** Opens the disk in a home and returns what its client sees. */
async function openOn(disk: SimulatedDisk, openHome: (typeof homes)[string]): Promise<Home> {
  let root = ":memory:";
  const moved = (path: unknown) => (typeof path === "string" ? path.replace(root, ":memory:") : path);
  const storage = new Proxy(disk, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const [path] = args;
        if (typeof path === "string" && path.endsWith("/broker.json")) root = path.slice(0, -"/broker.json".length);
        return value.apply(target, args.map(moved));
      };
    },
  });
  const home = await openHome({ storage, segmentBytes: 1_000 });
  onTestFinished(() => home.close().catch(() => {}));
  return home;
}

/**
 * Returns the offsets read, and the error with which reading ends. A read that takes 20 s counts as
 * hung.
 */
async function readToEnd(client: LogClient, from: number | "earliest" = "earliest") {
  const skipped: SkippedRecords[] = [];
  const onSkipped = (each: SkippedRecords) => skipped.push(each);
  const reader = client.reader({ assign: { [TOPIC]: [0] }, from, until: "latest", value: text(), onSkipped });
  const offsets: number[] = [];
  try {
    for await (const { offset } of reader) offsets.push(offset);
    return { offsets, skipped };
  } catch (error) {
    return { offsets, skipped, code: (error as { code?: string }).code };
  }
}

const codeOf = (done: Promise<unknown>) =>
  done.then(
    () => "done",
    (error) => error.code,
  );

const damages = [
  { name: "the last segment is missing", disk: withoutLastSegment, code: "CORRUPT_PARTITION", readable: LEFT },
  {
    name: "EIO on the checkpoint",
    disk: () => withFault((path) => path.endsWith("/0/checkpoint") && path.includes("/topics/")),
    code: "STORAGE_FAILED",
    readable: RECORDS,
  },
  {
    name: "EIO on the last segment",
    disk: () => withFault((path, disk) => path === partitionFiles(disk, ".log").at(-1)),
    code: "STORAGE_FAILED",
    readable: LEFT,
  },
  {
    name: "EIO on everything",
    disk: () => withFault((path) => /\/topics\/[0-9a-f]+\/0\//.test(path)),
    code: "STORAGE_FAILED",
    readable: 0,
  },
];

describe.each(Object.entries(homes))("%s", (_home, openHome) => {
  test.each(damages)("$name: not reported as an end", async ({ disk: damaged, code, readable }) => {
    const disk = await damaged();
    const { client, api } = await openOn(disk, openHome);
    const [bad, sound] = (await client.describeTopic(TOPIC)).partitions;
    expect(bad).toMatchObject({ partition: 0, logStartOffset: 0, logEndOffset: RECORDS });
    expect(bad!.damage).toMatchObject({ code, partition: 0 });
    expect(sound).toEqual({ partition: 1, logStartOffset: 0, highWatermark: 1, logEndOffset: 1 });
    const end = readable;
    expect(bad!.highWatermark).toBe(end);

    const positions = ["earliest", "latest", { time: 9_000_000_000_000 }] as const;
    const listed = await client.listOffsets(
      TOPIC,
      positions.map((position) => ({ partition: 0, position })),
    );
    expect(listed.map((each) => each.damage?.code)).toEqual([code, code, code]);
    expect(listed.map(({ offset }) => offset)).toEqual([0, RECORDS, expect.toSatisfy((offset) => offset >= end)]);
    expect(await codeOf(client.listOffsets(TOPIC, [{ partition: 0, position: RECORDS + 5 }]))).toBe(code);

    const all = Array.from({ length: end }, (_, offset) => offset);
    expect(await readToEnd(client)).toEqual({ offsets: all, skipped: [], code });
    expect(await readToEnd(client, RECORDS + 5)).toEqual({ offsets: [], skipped: [], code });
    for (const until of ["latest", { time: 9_000_000_000_000 }] as const) {
      const events: string[] = [];
      const drain = async () => {
        for await (const { type } of api.consume({ topic: TOPIC, partition: 0, until })) events.push(type);
      };
      expect([await codeOf(drain()), events.includes("batches")]).toEqual([code, end > 0]);
    }
    expect(await codeOf(api.fetch({ topic: TOPIC, partition: 0, from: "latest" }))).toBe(code);

    const { partitions } = await api.describeGroup("g");
    expect(partitions).toMatchObject([
      { committedOffset: 5, logEndOffset: RECORDS, lag: RECORDS - 5, damage: { code } },
    ]);
    const group = client.consumer({ group: "g", topics: [TOPIC], value: text(), onSkipped: () => {} });
    const inGroup: number[] = [];
    const loop = async () => {
      for await (const { partition, offset } of group) if (partition === 0) inGroup.push(offset);
    };
    expect([await codeOf(loop()), inGroup]).toEqual([code, all.slice(5)]);
    await group.close();
    const reset = (to: "latest" | number) =>
      api.resetOffsets({ group: "r", partitions: [{ topic: TOPIC, partition: 0 }], to });
    await api.commitOffsets({ group: "r", offsets: [{ topic: TOPIC, partition: 1, offset: 1 }] });
    expect(await codeOf(reset("latest"))).toBe(code === "CORRUPT_PARTITION" ? "done" : code);
    expect(await codeOf(reset(RECORDS + 5))).toBe(code);
    if (code === "CORRUPT_PARTITION") expect((await reset("latest"))[0]!.offset).toBe(RECORDS);
    expect((await reset(0))[0]!.offset).toBe(0);
  });

  test("damage found by a read after opening: reported to all, and not as an end", async () => {
    const disk = await filledDisk({ committed: 5 });
    const { client, api } = await openOn(disk, openHome);
    const [, second] = partitionFiles(disk, ".log");
    disk.failAt(1, "EIO", { when: ({ kind, path }) => kind === "openFile" && path === second, forGood: true });
    const damaged = Number(second!.match(/(\d+)\.log$/)![1]);
    const bounds = { logStartOffset: 0, highWatermark: RECORDS, logEndOffset: RECORDS };
    const offsets = Array.from({ length: RECORDS }, (_, offset) => offset);
    expect((await client.describeTopic(TOPIC)).partitions[0]).toEqual({ partition: 0, ...bounds });
    expect(await readToEnd(client)).toEqual({
      offsets: offsets.slice(0, damaged),
      skipped: [],
      code: "STORAGE_FAILED",
    });
    const damage = { code: "STORAGE_FAILED", partition: 0, offset: damaged };
    expect((await client.describeTopic(TOPIC)).partitions[0]).toMatchObject({ ...bounds, damage });
    expect(await client.listOffsets(TOPIC, [{ partition: 0, position: "latest" }])).toMatchObject([
      { offset: RECORDS, ...bounds, damage },
    ]);
    expect((await api.describeGroup("g")).partitions).toMatchObject([{ lag: RECORDS - 5, damage }]);
    // The end is known: a reader that starts after the damage reaches it.
    expect(await readToEnd(client, 25)).toEqual({ offsets: offsets.slice(25), skipped: [] });
    await client.producer(TOPIC).send({ value: "on", partition: 0 });
    disk.mend();
    expect(await readToEnd(client)).toEqual({ offsets: [...offsets, RECORDS], skipped: [] });
    expect((await client.describeTopic(TOPIC)).partitions[0]!.damage).toBeUndefined();
  });

  test("an unreadable topic and an unreadable snapshot are listed as such", async () => {
    const filled = await filledDisk();
    const before = await Broker.open(":memory:", { storage: filled });
    await before.createSnapshot(TOPIC, "s");
    await before.createTopic({ topic: "sound", partitions: 1 });
    await before.close();
    const disk = filled.copy();
    const [store] = partitionFiles(disk, ".log").map((path) => path.replace(/\/0\/[^/]*$/, "/store.json"));
    const isHit = (path: string) => path === store || path.endsWith("/snapshot.json");
    disk.failAt(1, "EIO", { when: ({ kind, path }) => kind === "openFile" && isHit(path), forGood: true });
    const { client } = await openOn(disk, openHome);
    const damage = { code: "STORAGE_FAILED" };
    expect(await client.listTopics()).toMatchObject([
      { topic: "sound", partitionCount: 1 },
      { topic: TOPIC, partitionCount: 0, topicId: "", damage },
    ]);
    expect(await codeOf(client.describeTopic(TOPIC))).toBe("STORAGE_FAILED");
    expect(await client.listSnapshots()).toMatchObject([{ topic: TOPIC, snapshot: "s", partitions: [], damage }]);
    disk.mend();
    const [snapshot] = await client.listSnapshots();
    expect([snapshot!.damage, snapshot!.partitions.length]).toEqual([undefined, 2]);
  });

  test("a gap that a repair left at the end is an end", async () => {
    const disk = await withoutLastSegment();
    const broker = await Broker.open(":memory:", { storage: disk, segmentBytes: 1_000 });
    const actions = await broker.topic(TOPIC).repair({ dryRun: false });
    expect(actions).toMatchObject([{ kind: "damage", nextOffset: RECORDS }]);
    await broker.close();
    const { client, api } = await openOn(disk.copy(), openHome);
    const lost = { topic: TOPIC, partition: 0, from: LEFT, to: RECORDS };
    const [described] = (await client.describeTopic(TOPIC)).partitions;
    expect(described).toEqual({ partition: 0, logStartOffset: 0, highWatermark: RECORDS, logEndOffset: RECORDS });
    const offsets = Array.from({ length: LEFT }, (_, offset) => offset);
    expect(await readToEnd(client)).toEqual({ offsets, skipped: [lost] });
    expect(await readToEnd(client, LEFT)).toEqual({ offsets: [], skipped: [lost] });
    const lag = async () => (await api.describeGroup("g")).partitions.map(({ lag }) => lag);
    expect(await lag()).toEqual([LEFT - 5]);
    await api.resetOffsets({ group: "g", partitions: [{ topic: TOPIC, partition: 0 }], to: LEFT });
    expect(await lag()).toEqual([0]);
    await client.producer(TOPIC).send({ value: "after", partition: 0 });
    expect(await readToEnd(client, 27)).toEqual({ offsets: [RECORDS], skipped: [{ ...lost, from: 27 }] });
    expect(await lag()).toEqual([1]);
  });

  test("parked records are listed and replayed up to such an end", async () => {
    const disk = new SimulatedDisk();
    const options = { storage: disk, segmentBytes: 1_000 };
    const before = await Broker.open(":memory:", options);
    const parked = `${TOPIC}.g.parked`;
    await before.createTopic({ topic: parked, partitions: 1 });
    await before.createTopic({ topic: TOPIC, partitions: 1 });
    for (let i = 0; i < 20; i++) {
      const texts = { topic: TOPIC, partition: 0, offset: i, reason: "no", attempts: 1, time: 1 };
      const headers = Object.entries(texts).map(([name, value]) => ({
        name: `logstore-parked-${name}`,
        value: `${value}`,
      }));
      await before.topic(parked).appendMany(0, [{ key: null, value: `${i}`.padEnd(100), headers }]);
    }
    await before.close();
    const cut = disk.copy();
    const logs = cut.paths().filter((path) => path.endsWith(".log") && path.includes("/topics/"));
    await cut.remove(logs.at(-1)!);
    const repairing = await Broker.open(":memory:", { ...options, storage: cut });
    await repairing.topic(parked).repair({ dryRun: false });
    const logEnd = repairing.topic(parked).partition(0).endOffset;
    expect(logEnd).toBe(20);
    await repairing.close();
    const { client } = await openOn(cut.copy(), openHome);
    let listed = 0;
    for await (const _ of client.parked(TOPIC, "g")) listed++;
    expect(listed).toBeGreaterThan(0);
    expect(listed).toBeLessThan(20);
    const replayed: number[] = [];
    await client.parked(TOPIC, "g").replay({ to: (record) => void replayed.push(record.parkedOffset) });
    expect(replayed).toHaveLength(listed);
  });
});
