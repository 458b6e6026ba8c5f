/**
 * The k-th call that reads from the disk fails with EIO, for every k, in every kind of read: the
 * result is complete, or reports what is missing, or is a typed error. Later callers get the damage
 * reported, until the disk can be read again.
 *
 * CORE_RECORDS=1000 makes the log longer, and the sweep with it; CORE_EVERY=1 runs every call,
 * failing once and permanently.
 */
import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { Broker, LogStore, LogStoreError } from "../../src/index.js";
import { SimulatedDisk } from "../../src/testing/index.js";
import { report } from "../cases.js";
import { quickly } from "../crash-sweep/quickly.js";
import { firstSeed } from "../random.js";

const RECORDS = Number(process.env["CORE_RECORDS"] ?? 30);
/** CI runs a quarter of the cases, starting from one chosen by the seed. */
const EVERY = Number(process.env["CORE_EVERY"] ?? 4);
const TOPIC = "t";
const START = 1_700_000_000_000;
const LOOKS: readonly string[] = ["list", "openFile", "read", "size"];
const options = { segmentBytes: 1000, tailCacheBytes: 0 } as const;

interface World {
  readonly disk: SimulatedDisk;
  readonly broker: Broker;
  readonly store: LogStore;
  /** Directory of the topic. */
  readonly directory: string;
}

async function filledDisk(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const broker = await Broker.open("data", { ...options, storage: disk });
  await broker.createTopic({ topic: TOPIC, partitions: 1 });
  for (let i = 0; i < RECORDS; i++) {
    disk.time = START + i;
    await broker.topic(TOPIC).append(null, `${i}`.padEnd(100));
  }
  await broker.commitOffsets({ group: "g", offsets: [{ topic: TOPIC, partition: 0, offset: 5 }] });
  await broker.createSnapshot(TOPIC, "s");
  await broker.close();
  return disk;
}

async function openOn(disk: SimulatedDisk): Promise<World> {
  const broker = await Broker.open("data", { ...options, storage: disk });
  const [id] = (await disk.list("data/topics"))!;
  return { disk, broker, store: broker.topic(TOPIC), directory: `data/topics/${id}` };
}

const offsetsOf = async (records: AsyncIterable<{ offset: number }>) =>
  (await Array.fromAsync(records)).map(({ offset }) => offset);

async function consumed({ broker }: World): Promise<number> {
  let end = 0;
  for await (const event of broker.consume({ topic: TOPIC, partition: 0, until: "latest", maxBytes: 300 })) {
    if (event.type === "batches") end += event.batches.length;
  }
  return end;
}

async function fetched({ broker }: World): Promise<number> {
  let bytes = 0;
  for (let from = 0; from < RECORDS; ) {
    const { batches, nextOffset } = await broker.fetch({ topic: TOPIC, partition: 0, from, maxBytes: 500 });
    if (nextOffset === from) throw new Error(`a fetch at offset ${from} gave nothing`);
    bytes += batches.length;
    from = nextOffset;
  }
  return bytes;
}

async function sliced({ store }: World): Promise<number> {
  let bytes = 0;
  const partition = store.partition(0);
  for (let offset = 0; ; ) {
    const slice = await partition.slice(offset, 400);
    if (slice === undefined) return bytes;
    slice.release();
    bytes += slice.length;
    offset = slice.nextOffset;
  }
}

async function tailed(store: Pick<LogStore, "tail">): Promise<number[]> {
  const offsets: number[] = [];
  for await (const { offset } of store.tail(0, { from: "earliest" })) {
    offsets.push(offset);
    if (offsets.length === RECORDS) break;
  }
  return offsets;
}

/** With a reader in another process that was opened before the fault. */
async function followed(disk: SimulatedDisk, directory: string, look: (store: Follower) => Promise<unknown>) {
  const follower = await LogStore.openReadOnly(directory, { storage: disk });
  try {
    return await look(follower);
  } finally {
    await follower.close();
  }
}

type Follower = Awaited<ReturnType<typeof LogStore.openReadOnly>>;

const times = [0, 3, 11, 12, RECORDS - 1, RECORDS + 5].map((i) => ({ time: START + i }));

const ways: Record<string, (world: World) => Promise<unknown>> = {
  read: ({ store }) => offsetsOf(store.read(0)),
  "read from the middle": ({ store }) => offsetsOf(store.read(0, { from: 12 })),
  "read from a time": ({ store }) => offsetsOf(store.read(0, { from: { time: START + 17 } })),
  batches: async ({ store }) => (await Array.fromAsync(store.read(0).batches())).map(({ baseOffset }) => baseOffset),
  tail: ({ store }) => tailed(store),
  slice: sliced,
  consume: consumed,
  fetch: fetched,
  "list offsets": ({ broker }) =>
    broker.listOffsets({
      topic: TOPIC,
      partitions: [...times, "earliest" as const, "latest" as const, 12].map((position) => ({
        partition: 0,
        position,
      })),
    }),
  "list topics": ({ broker }) => broker.listTopics(),
  "describe topic": ({ broker }) => broker.describeTopic(TOPIC),
  lag: async ({ broker }) => (await broker.describeGroup("g")).partitions,
  "reset to a time": async ({ broker }) => {
    const partitions = [{ topic: TOPIC, partition: 0 }];
    return (await broker.resetOffsets({ group: "g", partitions, to: { time: START + 17 } })).map(
      ({ offset }) => offset,
    );
  },
  verify: async ({ store }) => await Array.fromAsync(store.verify()),
  repair: ({ store }) => store.repair(),
  retention: async ({ store, disk }) => {
    disk.time = START + 1_000_000;
    store.alter({ retentionMs: 1_000_000 - 10 });
    await store.applyRetention();
    return store.partition(0).startOffset;
  },
  "list snapshots": ({ broker }) => broker.listSnapshots(),
  "make a snapshot": async ({ broker, store }) => {
    await broker.createSnapshot(TOPIC, "other");
    await store.snapshot("copy");
    return "made";
  },
  "restore a snapshot": async ({ broker }) => {
    await broker.restoreSnapshot(TOPIC, "s", "again");
    return offsetsOf(broker.topic("again").read(0));
  },
  "follower: open and read": ({ disk, directory }) => followed(disk, directory, (store) => offsetsOf(store.read(0))),
  "follower: open and tail": ({ disk, directory }) => followed(disk, directory, tailed),
  "follower: verify": ({ disk, directory }) => followed(disk, directory, (store) => Array.fromAsync(store.verify())),
};

/** Whether a result reports that it is incomplete. */
const saysSo = (answer: unknown) =>
  /"(damage|error)":\{"code":"STORAGE_FAILED"|the index cannot be read/.test(JSON.stringify(answer) ?? "");
/** Operations that cannot be repeated, or not after a file that they write to could not be read. */
const CHANGES = ["reset to a time", "retention", "make a snapshot", "restore a snapshot"];

async function oneCase(filled: SimulatedDisk, way: string, k: number, forGood: boolean, whole: unknown) {
  const world = await openOn(filled.copy());
  const { disk, broker } = world;
  const failed: string[] = [];
  let count = 0;
  disk.failAt(1, "EIO", {
    forGood: true,
    when: ({ kind, path }) => {
      if (!LOOKS.includes(kind)) return false;
      count++;
      const fails = forGood ? count >= k : count === k;
      if (fails) failed.push(path);
      return fails;
    },
  });
  const seen = await ways[way]!(world).then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  disk.mend();
  if ("error" in seen) {
    assert(seen.error instanceof LogStoreError, `a foreign error: ${seen.error}`);
    assert.equal(seen.error.code, "STORAGE_FAILED", seen.error.message);
    assert(seen.error.message.includes("EIO"), seen.error.message);
  } else if (!saysSo(seen.answer)) assert.deepEqual(seen.answer, whole);
  const isFollower = way.startsWith("follower");
  if ("error" in seen && !isFollower && failed[0]!.startsWith(`${world.directory}/0/`) && failed[0]!.endsWith(".log")) {
    await isTold(world);
  }
  // Once the disk can be read again, everything is as before, and no damage is reported.
  for await (const _ of world.store.verify());
  assert.equal((await broker.describeTopic(TOPIC)).partitions[0]!.damage, undefined);
  assert.equal(await broker.topicHealth(TOPIC), "serving");
  if (!CHANGES.includes(way)) assert.deepEqual(await ways[way]!(world), whole, "again");
  await world.store.append(null, "on");
  await broker.close();
  return "error" in seen;
}

async function isTold({ broker }: World): Promise<void> {
  const [described] = (await broker.describeTopic(TOPIC)).partitions;
  assert.equal(described!.damage?.code, "STORAGE_FAILED", "describeTopic");
  assert(described!.damage!.offset! < described!.highWatermark, "the end is known");
  assert.equal(described!.highWatermark, RECORDS);
  const [listed] = await broker.listOffsets({ topic: TOPIC, partitions: [{ partition: 0, position: "latest" }] });
  assert.deepEqual([listed!.offset, listed!.damage], [RECORDS, described!.damage], "listOffsets");
  const [lag] = (await broker.describeGroup("g")).partitions;
  assert.deepEqual([lag!.lag, lag!.damage?.code], [RECORDS - 5, "STORAGE_FAILED"], "describeGroup");
  assert.equal(await broker.topicHealth(TOPIC), "failed");
}

test.each(Object.keys(ways))("%s", { timeout: 60_000 + 100 * RECORDS }, async (way) => {
  const filled = await filledDisk();
  let [cases, errors] = [0, 0];
  await quickly(async () => {
    const world = await openOn(filled.copy());
    world.disk.calls.length = 0;
    const whole = await ways[way]!(world);
    const looks = world.disk.calls.filter(({ kind }) => LOOKS.includes(kind)).length;
    await world.broker.close();
    for (let i = firstSeed % EVERY; i < 2 * looks; i += EVERY) {
      const [k, forGood] = [Math.floor(i / 2) + 1, i % 2 === 0];
      const isError = await oneCase(filled, way, k, forGood, whole).catch((cause: Error) => {
        const where = `look ${k} of ${looks}${forGood ? " and all later ones" : ""}`;
        throw new Error(`${where}, CORE_SEED=${firstSeed}: ${cause.message}`, { cause });
      });
      cases++;
      if (isError) errors++;
    }
  });
  report(`${way}: ${cases} failed looks, ${errors} of them told as an error`);
  // Operations that need no access to the disk.
  if (!["describe topic", "list topics"].includes(way)) expect(cases).toBeGreaterThan(0);
});
