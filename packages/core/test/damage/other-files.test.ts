/**
 * All other kinds of files, truncated at every byte and with every bit flipped. An index and a
 * checkpoint are derived from the log and never change what is read from it. A damaged
 * `store.json`, `broker.json` or `topic.json` is reported, or does no harm.
 */
import { beforeAll, expect, test } from "vitest";
import { Broker, LogStore, LogStoreError, MemoryStorage } from "../../src/index.js";
import { eachCase, report } from "../cases.js";
import { FileImage, type Files, imageOf } from "../file-image.js";
import { firstSeed, Random } from "../random.js";
import { check } from "./check.js";
import { readBatches } from "./check-more.js";
import { type SampleLog, type State, sampleLog } from "./sample-log.js";

const FILE = "test/damage/other-files.test.ts";
const LONG = { timeout: 24 * 3_600_000 };

let sample: SampleLog;

beforeAll(async () => {
  sample = await sampleLog(new Random(firstSeed));
});

/** Truncates at each byte first, then flips each bit. */
async function eachDamage(
  files: Files,
  path: string,
  tryIt: (storage: FileImage, index: number) => Promise<string>,
): Promise<Record<string, number>> {
  const sound = files.get(path)!;
  const outcomes: Record<string, number> = {};
  const done = await eachCase({ total: 9 * sound.length, file: FILE }, async (index) => {
    const flipped = index - sound.length;
    const damaged = flipped < 0 ? sound.slice(0, index) : Uint8Array.from(sound);
    if (flipped >= 0) damaged[flipped >>> 3]! ^= 1 << (flipped & 7);
    const storage = new FileImage(files);
    storage.files.set(path, damaged);
    const outcome = await tryIt(storage, index);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  });
  report(`${done} kinds of damage to ${path}: ${JSON.stringify(outcomes)}, CORE_SEED=${firstSeed}`);
  return outcomes;
}

/** Everything can be read from the start, and from some offset and some time. */
async function checkAll(store: LogStore, random: Random): Promise<void> {
  check(store.recovery.length === 0, "something was taken for damage");
  const { batches } = sample;
  const offset = random.whole(0, store.partition(0).endOffset);
  const time = random.oneOf(batches).appendTime + random.whole(0, 1);
  for (const [from, first] of [
    ["earliest", 0],
    [offset, batches.findIndex(({ nextOffset }) => nextOffset > offset)],
    [{ time }, batches.findIndex(({ appendTime }) => appendTime >= time)],
  ] as const) {
    const read = await readBatches(store, from);
    check(read.error === undefined, `reading from ${JSON.stringify(from)}: ${read.error}`);
    const [found, expected] = [read.batches, first < 0 ? [] : batches.slice(first)];
    const same = found.every(({ bytes }, i) => Buffer.compare(bytes, expected[i]!.bytes) === 0);
    check(same && found.length === expected.length, `reading from ${JSON.stringify(from)} gives other batches`);
  }
}

const INDEX = "store/0/00000000000000000000.index";
const CHECKPOINT = "store/0/checkpoint";

test.each([
  ["closed", INDEX],
  ["closed half-way", INDEX],
  ["closed", CHECKPOINT],
  ["closed half-way", CHECKPOINT],
] as const)("a store that was %s: %s", LONG, async (state: State, path) => {
  await eachDamage(sample.files[state], path, async (storage, index) => {
    const store = await LogStore.open("store", { storage });
    await checkAll(store, new Random(index));
    const { offset } = await store.append(null, "more");
    check(offset === sample.batches.at(-1)!.nextOffset, "the next offset is not the end");
    await store.close();
    return "all there";
  });
});

/** A broker's directory: one topic of three partitions, with a record in each. */
async function brokerFiles(): Promise<{ files: Files; directory: string }> {
  const storage = new MemoryStorage();
  const broker = await Broker.open("data", { storage });
  await broker.createTopic({ topic: "a-topic", partitions: 3 });
  const store = broker.topic("a-topic");
  for (const partition of [0, 1, 2]) await store.append("k", `v${partition}`, { partition });
  await broker.close();
  const [id] = (await storage.list("data/topics"))!;
  return { files: await imageOf(storage, "data", "data"), directory: `data/topics/${id}` };
}

/**
 * The whole topic is there under its name, or the broker or the topic refuses to open with an error
 * that names the topic.
 */
async function openOrRefuse(storage: FileImage, directory: string): Promise<string> {
  const before = new Map(storage.files);
  let broker: Broker;
  try {
    broker = await Broker.open("data", { storage });
  } catch (error) {
    check(error instanceof LogStoreError, `a foreign error: ${error}`);
    return `${error.code} to all`;
  }
  const [found, ...others] = await broker.listTopics();
  const { partitions, unreadable } = broker.recovery;
  check(partitions.length === 0, "a partition was taken for damaged");
  if (found === undefined || found.damage !== undefined) {
    const [refused, ...more] = unreadable;
    check(refused !== undefined && more.length + others.length === 0, "the topic is gone without a word");
    check(found?.topic === refused.topic, `it is listed as ${found?.topic}`);
    check(found === undefined || found.damage?.code === refused.error.code, `what is listed of it is ${found?.damage}`);
    check(refused.directory === directory, `the topic's directory is not ${refused.directory}`);
    await broker.close();
    for (const [path, bytes] of before) check(storage.files.get(path) === bytes, `${path} was changed`);
    return `${refused.error.code} to ${refused.topic ?? "a topic without a name"}`;
  }
  check(others.length + unreadable.length === 0, "there is more than the topic");
  check(found.topic === "a-topic", `it has another name: ${found.topic}`);
  check(found.partitionCount === 3, `it has another number of partitions: ${found.partitionCount}`);
  const store = broker.topic(found.topic);
  for (const partition of [0, 1, 2]) {
    const [record, ...more] = await Array.fromAsync(store.read(partition));
    const value = new TextDecoder().decode(record?.value);
    check(value === `v${partition}` && more.length === 0, `partition ${partition} reads ${value}`);
  }
  await broker.close();
  return "all there";
}

test.each([
  ["broker.json", "NOT_A_LOG_STORE to all"],
  ["store.json", "NOT_A_LOG_STORE to a-topic"],
  ["topic.json", "NOT_A_LOG_STORE to a topic without a name"],
])("a broker's %s: %s, or no harm", LONG, async (name, refusal) => {
  const { files, directory } = await brokerFiles();
  expect(await openOrRefuse(new FileImage(files), directory)).toBe("all there");
  const path = name === "broker.json" ? `data/${name}` : `${directory}/${name}`;
  const outcomes = await eachDamage(files, path, (storage) => openOrRefuse(storage, directory));
  expect(Object.keys(outcomes)).toContain(refusal);
  // A flipped bit in the digit of the version gives a newer version, which is refused, too.
  const newer = refusal.replace("NOT_A_LOG_STORE", "UNSUPPORTED_FORMAT_VERSION");
  expect([refusal, newer, "all there"]).toEqual(expect.arrayContaining(Object.keys(outcomes)));
});
