/**
 * The k-th call to the disk fails, for every k of a workload: in five ways, once or permanently.
 * What failed is not acknowledged, offsets have no gap, every error is a LogStoreError; and once
 * the disk works again, everything acknowledged is there.
 */
import { expect, test } from "vitest";
import { Broker, LogStoreError } from "../../src/index.js";
import { eachCase, report } from "../cases.js";
import { HookedStorage } from "../hooked-storage.js";
import { firstSeed } from "../random.js";
import { type FaultPlan, faults, inject } from "./faults.js";
import { PARTITIONS, readAll, Workload } from "./workload.js";

const WORKLOADS = Number(process.env["CORE_WORKLOADS"] ?? 10);
/**
 * CI covers one in so many calls of each workload: more workloads find more than more calls of one.
 * CORE_EVERY=1 covers all.
 */
const EVERY = 12;
const FILE = "test/faults/io-faults.test.ts";

/** The number of occurrences, and the command that replays the first. */
type Tally = Record<string, { count: number; replay: string }>;

const rawErrors: Tally = {};
const leaks: Tally = {};

test(`${WORKLOADS} workloads, calls fail, CORE_SEED=${firstSeed}`, { timeout: 24 * 3_600_000 }, async () => {
  let [cases, all] = [0, 0];
  for (let seed = firstSeed; seed < firstSeed + WORKLOADS; seed++) {
    const plans = await plansFor(seed);
    all += plans.length;
    cases += await eachCase({ total: plans.length, every: EVERY, file: FILE, seed }, async (index) => {
      const workload = await oneCase(seed, plans[index]!);
      const replay = `CORE_SEED=${seed} CORE_WORKLOADS=1 CORE_CASE=${index}`;
      const raw = workload.rejections.filter(({ error }) => !(error instanceof LogStoreError));
      for (const { what } of raw) count(rawErrors, what, replay);
      for (const what of workload.leaks) count(leaks, what, replay);
    });
  }
  report(`${cases} of ${all} failed calls in ${WORKLOADS} workloads, CORE_SEED=${firstSeed}`);
});

// Opening, creating a topic and reading once rejected with the system's raw error.
test("every call fails with a LogStoreError", () => {
  expect(rawErrors).toEqual({});
});

// A partition that could not be opened, and a segment whose name could not be made durable, once
// left their files open.
test("no file stays open", () => {
  expect(leaks).toEqual({});
});

function count(tally: Tally, what: string, replay: string): void {
  tally[what] ??= { count: 0, replay };
  tally[what].count++;
}

/** In every other workload, writes are made in place. */
function storageFor(seed: number): HookedStorage {
  const storage = new HookedStorage();
  storage.writesNow = seed % 2 === 0;
  return storage;
}

/** Every fault at every call to which it applies. */
async function plansFor(seed: number): Promise<FaultPlan[]> {
  const storage = storageFor(seed);
  const kinds: string[] = [];
  storage.before = ({ kind }) => {
    kinds.push(kind);
  };
  const workload = new Workload(storage, seed);
  await workload.run();
  expect({ rejections: workload.rejections, faulty: workload.faulty }).toEqual({ rejections: [], faulty: [] });
  return faults.flatMap((fault) => {
    const count = kinds.filter((kind) => (fault.kinds as readonly string[]).includes(kind)).length;
    const each = Array.from({ length: count }, (_, i) => i + 1);
    return each.flatMap((k) => [true, false].map((forGood) => ({ fault, k, forGood })));
  });
}

async function oneCase(seed: number, plan: FaultPlan): Promise<Workload> {
  const where = `${plan.fault.name} at call ${plan.k}${plan.forGood ? " and for good" : ""}`;
  const storage = storageFor(seed);
  const thrown = inject(storage, plan);
  const workload = new Workload(storage, seed);
  await workload.run();
  if (thrown.length === 0) throw new Error(`${where}: nothing failed`);
  const broker = await Broker.open("data", { storage: storage.inner });
  if ((await broker.listTopics()).length === 0) {
    if (workload.acked.some(({ size }) => size > 0)) workload.faulty.push("the topic is gone");
    await broker.createTopic({ topic: "t", partitions: PARTITIONS });
  }
  const store = broker.topic("t");
  if (store.recovery.some(({ damage }) => damage !== undefined)) workload.faulty.push("damage is found");
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const read = await readAll(store, partition);
    workload.check(partition, read);
    const { offset } = await store.append(null, "next", { partition });
    if (offset !== read.length) workload.faulty.push(`the next offset is ${offset} and should be ${read.length}`);
  }
  await broker.close();
  if (workload.faulty.length > 0) {
    const told = new Set(workload.rejections.map(({ what, error }) => `\n  ${what}: ${error}`));
    throw new Error(`${where} (${thrown[0]!.message}): ${workload.faulty.join("; ")}. Rejected:${[...told].join("")}`);
  }
  return workload;
}
