/**
 * The machine stops at every mutating call of creating, restoring and deleting a snapshot, with
 * every outcome, while records are appended and deleted: afterwards the snapshot is complete or
 * absent, and the topic has lost nothing.
 */
import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { Broker, LogStore } from "../../src/index.js";
import {
  type PowerCutOutcome,
  powerCutOutcomes,
  Random,
  randomDelays,
  SimulatedDisk,
} from "../../src/testing/index.js";
import { report } from "../cases.js";
import { checkVerified } from "../crash-sweep/check-recovered.js";
import { quickly } from "../crash-sweep/quickly.js";
import { firstSeed } from "../random.js";
import { collect, sealed, text } from "../records.js";

const options = { segmentBytes: 200 } as const;
const PARTITIONS = 2;
/** Number of workloads: SNAPSHOT_SEEDS=100 runs more. */
const SEEDS = Number(process.env["SNAPSHOT_SEEDS"] ?? 1);

/** What had been acknowledged at one point in time. */
interface Moment {
  readonly disk: SimulatedDisk;
  /**
   * For each partition of the live topic: the highest possible log start, and the number of records
   * that were acknowledged, or flushed as well.
   */
  readonly starts: readonly number[];
  readonly written: readonly number[];
  readonly flushed: readonly number[];
  readonly made: boolean;
  readonly restored: boolean;
  readonly deleted: boolean;
}

type Bounds = readonly (readonly [start: number, end: number])[];

/**
 * Creates two snapshots, deletes one, restores a topic from the other, and records the state
 * throughout.
 */
async function workload(seed: number): Promise<{ moments: Moment[]; bounds: Bounds }> {
  const random = new Random(seed);
  const disk = new SimulatedDisk({ seed });
  const broker = await Broker.open("data", { ...options, storage: disk });
  await broker.createTopic({ topic: "t", partitions: PARTITIONS });
  const [starts, ends, flushed] = [
    [0, 0],
    [0, 0],
    [0, 0],
  ];
  const append = async (partition: number) => {
    const i = ends[partition]!;
    const batches = sealed([`v${i}`], { producerId: 7, producerEpoch: 0, baseSequence: i });
    const durability = random.oneOf(["flushed", "written"] as const);
    await broker.produce({ topic: "t", partition, batches, durability });
    ends[partition]!++;
    if (durability === "flushed") flushed[partition] = ends[partition]!;
  };
  const appendSome = async () => {
    for (let i = random.whole(2, 5); i > 0; i--) await append(random.whole(0, PARTITIONS - 1));
    if (random.chance(0.5)) {
      const partition = random.whole(0, PARTITIONS - 1);
      starts[partition] = random.whole(starts[partition]!, ends[partition]!);
      await broker.deleteRecords("t", partition, starts[partition]!);
    }
  };
  for (let i = random.whole(0, 8); i > 0; i--) await append(0); // the other partition may stay empty
  const moments: Moment[] = [];
  const done = { made: false, restored: false, deleted: false };
  const take = async () => {
    await new Promise((resolve) => setImmediate(resolve)); // lets callers receive their responses first
    moments.push({ disk: disk.copy(), starts: [...starts], written: [...ends], flushed: [...flushed], ...done });
  };
  disk.onMutation = take;
  disk.turnsOf = randomDelays(new Random(seed));
  const writing = appendSome();
  const { partitions } = await broker.createSnapshot("t", "s");
  done.made = true;
  await writing;
  await Promise.all([broker.restoreSnapshot("t", "s", "u"), appendSome()]);
  done.restored = true;
  await broker.createSnapshot("t", "other");
  await Promise.all([broker.deleteSnapshot("t", "s"), appendSome()]);
  done.deleted = true;
  await take();
  disk.stop();
  return { moments, bounds: partitions.map(({ logStartOffset, logEndOffset }) => [logStartOffset, logEndOffset]) };
}

async function checkTopic(store: LogStore, bounds: Bounds): Promise<void> {
  for (const [partition, [start, end]] of bounds.entries()) await checkRecords(store, partition, start, end);
}

async function checkRecords(
  store: Pick<LogStore, "read" | "partition">,
  partition: number,
  start: number,
  end: number,
): Promise<void> {
  const { startOffset, endOffset } = store.partition(partition);
  assert.deepEqual([startOffset, endOffset], [start, end], `partition ${partition}`);
  const read = (await collect(store.read(partition))).map(({ offset, value }) => `${offset} ${text(value)}`);
  assert.deepEqual(
    read,
    Array.from({ length: end - start }, (_, i) => `${start + i} v${start + i}`),
  );
}

async function checkAfter(
  moment: Moment,
  bounds: Bounds,
  outcome: PowerCutOutcome | "kill",
  seed: number,
): Promise<void> {
  const { starts, made, restored, deleted } = moment;
  const ends = outcome === "kill" ? moment.written : moment.flushed;
  const disk = outcome === "kill" ? moment.disk.processKill() : moment.disk.powerCut(outcome, seed);
  let broker = await Broker.open("data", { ...options, storage: disk });
  const { partitions: damaged, unreadable, unreadableSnapshots } = broker.recovery;
  assert.deepEqual(
    [damaged.filter(({ damage }) => damage !== undefined), unreadable, unreadableSnapshots],
    [[], [], []],
  );
  assert.deepEqual(
    disk.paths().filter((path) => /~|\.new|\.deleted/.test(path)),
    [],
    "leftovers",
  );
  const live = broker.topic("t");
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { startOffset, endOffset } = live.partition(partition);
    assert(endOffset >= ends[partition]!, `partition ${partition} ends at ${endOffset}, not ${ends[partition]}`);
    assert(startOffset >= 0 && startOffset <= Math.max(starts[partition]!, endOffset));
    await checkRecords(live, partition, startOffset, endOffset);
  }
  const snapshots = (await broker.listSnapshots("t")).map(({ snapshot }) => snapshot);
  assert(!made || deleted || snapshots.includes("s") || restored, "an acknowledged snapshot is there");
  assert(!deleted || !snapshots.includes("s"), "a deleted snapshot is gone");
  const topics = (await broker.listTopics()).map(({ topic }) => topic);
  assert(!restored || topics.includes("u"), "a restored topic is there");
  if (topics.includes("u")) await checkTopic(broker.topic("u"), bounds);
  if (!snapshots.includes("s")) return broker.close();
  // Whatever happens to the topics, the snapshot does not change, and can be restored.
  await Promise.all([live.append(null, "on", { partition: 0 }), live.append(null, "on", { partition: 1 })]);
  if (topics.includes("u")) await broker.topic("u").append(null, "on", { partition: 0 });
  await broker.deleteTopic("t");
  await broker.restoreSnapshot("t", "s", "again");
  await broker.close();
  const after = disk.powerCut("drop-all");
  broker = await Broker.open("data", { ...options, storage: after });
  await checkTopic(broker.topic("again"), bounds);
  assert.deepEqual(
    (await broker.listTopics()).map(({ topic }) => topic),
    topics.includes("u") ? ["again", "u"] : ["again"],
  );
  const snapshot = await LogStore.openReadOnly("data/snapshots/t/s", { storage: after });
  for (const [partition, [start, end]] of bounds.entries()) await checkRecords(snapshot, partition, start, end);
  await snapshot.close();
  const [, end] = bounds[0]!;
  if (end > 0) {
    const batches = sealed([`v${end - 1}`], { producerId: 7, producerEpoch: 0, baseSequence: end - 1 });
    const { duplicate, baseOffset } = await broker.produce({ topic: "again", partition: 0, batches });
    assert.deepEqual([duplicate, baseOffset], [true, end - 1], "a batch sent again");
  }
  await broker.close();
}

test("stopped at every call of creating, restoring and deleting a snapshot", { timeout: 600_000 }, async () => {
  let stops = 0;
  await quickly(async () => {
    for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
      const { moments, bounds } = await workload(seed);
      for (const [at, moment] of moments.entries()) {
        for (const outcome of [...powerCutOutcomes, "kill"] as const) {
          await checkAfter(moment, bounds, outcome, seed + at).catch((cause: Error) => {
            throw new Error(`CORE_SEED=${seed}, call ${at} of ${moments.length}, ${outcome}: ${cause.message}`, {
              cause,
            });
          });
          stops++;
        }
      }
    }
  });
  report(`${stops} stops around snapshots, CORE_SEED=${firstSeed}`);
  expect(stops).toBeGreaterThan(500 * SEEDS);
});

/** A background sync may be slow, but everything in an acknowledged snapshot is durable. */
test("the power is cut the moment a snapshot is created", { timeout: 120_000 }, async () => {
  const seeds = 300 * SEEDS;
  await quickly(async () => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      await cutWhenMade(seed).catch((cause: Error) => {
        throw new Error(`CORE_SEED=${seed}: ${cause.message}`, { cause });
      });
    }
  });
  report(`${seeds} power cuts when a snapshot was made, CORE_SEED=${firstSeed}`);
});

async function cutWhenMade(seed: number): Promise<void> {
  const random = new Random(seed);
  const disk = new SimulatedDisk({ seed });
  disk.turnsOf = randomDelays(random);
  const store = await LogStore.open("data", { segmentBytes: random.oneOf([200, 400, 1000]), storage: disk });
  const count = random.whole(1, 12);
  for (let i = 0; i < count; i++) {
    await store.append(null, `v${i}`, { durability: random.oneOf(["flushed", "written"] as const) });
  }
  const more = random.chance(0.5) ? store.append(null, `v${count}`, { durability: "written" }) : undefined;
  const { partitions } = await store.snapshot("copy");
  for (const outcome of powerCutOutcomes) {
    const copy = await LogStore.openReadOnly("copy", { storage: disk.copy().powerCut(outcome, seed) });
    await checkRecords(copy, 0, partitions[0]!.logStartOffset, partitions[0]!.logEndOffset);
    await checkVerified(copy);
    await copy.close();
  }
  await more;
  await store.close();
}
