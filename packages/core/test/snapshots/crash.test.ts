/**
 * The machine stops at every mutating call of making, restoring and deleting a snapshot, with every outcome, while records are
 * appended and deleted: what is found then is whole or not there, and the topic has lost nothing.
 */
import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { Broker, LogStore } from "../../src/index.js";
import { type PowerCutOutcome, powerCutOutcomes, Random, SimulatedDisk } from "../../src/testing/index.js";
import { report } from "../cases.js";
import { quickly } from "../crash-sweep/quickly.js";
import { firstSeed } from "../random.js";
import { collect, sealed, text } from "../records.js";

const options = { segmentBytes: 200 } as const;
const PARTITIONS = 2;

/** What was acknowledged at one moment. */
interface Moment {
  readonly disk: SimulatedDisk;
  /** Of each partition of the live topic: where it begins at most, and how many records were acknowledged. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly made: boolean;
  readonly restored: boolean;
  readonly deleted: boolean;
}

type Bounds = readonly (readonly [start: number, end: number])[];

/** Two snapshots, one of which is deleted again, and a topic of the other; moments of all of it. */
async function workload(seed: number): Promise<{ moments: Moment[]; bounds: Bounds }> {
  const random = new Random(seed);
  const disk = new SimulatedDisk({ seed });
  const broker = await Broker.open("data", { ...options, storage: disk });
  await broker.createTopic({ topic: "t", partitions: PARTITIONS });
  const [starts, ends] = [
    [0, 0],
    [0, 0],
  ];
  const append = async (partition: number) => {
    const i = ends[partition]!;
    const batches = sealed([`v${i}`], { producerId: 7, producerEpoch: 0, baseSequence: i });
    await broker.produce({ topic: "t", partition, batches, durability: "flushed" });
    ends[partition]!++;
  };
  const appendSome = async () => {
    for (let i = random.whole(2, 5); i > 0; i--) await append(random.whole(0, PARTITIONS - 1));
    if (random.chance(0.5)) {
      const partition = random.whole(0, PARTITIONS - 1);
      starts[partition] = random.whole(starts[partition]!, ends[partition]!);
      await broker.deleteRecords("t", partition, starts[partition]!);
    }
  };
  for (let i = random.whole(0, 8); i > 0; i--) await append(0); // the other one may stay empty
  const moments: Moment[] = [];
  const done = { made: false, restored: false, deleted: false };
  const take = async () => {
    await new Promise((resolve) => setImmediate(resolve)); // whoever has an answer hears of it first
    moments.push({ disk: disk.copy(), starts: [...starts], ends: [...ends], ...done });
  };
  disk.onMutation = take;
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
  const { starts, ends, made, restored, deleted } = moment;
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
  // Whatever becomes of the topics, the snapshot stays as it is, and can be restored.
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

test("stopped at every call of making, restoring and deleting a snapshot", { timeout: 300_000 }, async () => {
  let stops = 0;
  await quickly(async () => {
    for (let seed = firstSeed; seed < firstSeed + 3; seed++) {
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
  expect(stops).toBeGreaterThan(1000);
});
