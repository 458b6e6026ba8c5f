/**
 * Every other kind of file, truncated at every byte and with every bit flipped. An index and a checkpoint are made from the log and
 * never change what is read of it; a damaged `store.json`, `broker.json` or `topic.json` is named, or does no harm.
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

/** Truncated at each byte first, then each bit flipped. */
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

/** Everything from the start, and from some offset and some time: it is all there. */
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

/** A broker's directory: one topic of three partitions, a record in each. */
async function brokerFiles(): Promise<{ files: Files; id: string }> {
  const storage = new MemoryStorage();
  const broker = await Broker.open("data", { storage });
  await broker.createTopic({ topic: "a-topic", partitions: 3 });
  const store = broker.topic("a-topic");
  for (const partition of [0, 1, 2]) await store.append("k", `v${partition}`, { partition });
  await broker.close();
  return { files: await imageOf(storage, "data", "data"), id: (await storage.list("data/topics"))![0]! };
}

/** The same topic with the same records under the same name, or a refusal that says why. */
async function openOrRefuse(storage: FileImage): Promise<string> {
  let broker: Broker;
  try {
    broker = await Broker.open("data", { storage });
  } catch (error) {
    check(error instanceof LogStoreError, `a foreign error: ${error}`);
    return error.code;
  }
  const [found, ...others] = await broker.listTopics();
  check(found !== undefined && others.length === 0, "the topic is gone");
  const store = broker.topic(found.topic);
  if (store.partitionCount !== 3) return "another number of partitions";
  for (const partition of [0, 1, 2]) {
    const [record, ...more] = await Array.fromAsync(store.read(partition));
    const value = new TextDecoder().decode(record?.value);
    check(value === `v${partition}` && more.length === 0, `partition ${partition} reads ${value}`);
  }
  await broker.close();
  return found.topic === "a-topic" ? "all there" : "another name";
}

async function damageOf(name: string): Promise<Record<string, number>> {
  const { files, id } = await brokerFiles();
  const path = name === "broker.json" ? `data/${name}` : `data/topics/${id}/${name}`;
  expect(await openOrRefuse(new FileImage(files))).toBe("all there");
  return eachDamage(files, path, openOrRefuse);
}

test.each(["store.json", "broker.json", "topic.json"])("a broker's %s: named, or no harm", LONG, async (name) => {
  expect(await damageOf(name)).toHaveProperty("NOT_A_LOG_STORE");
});

// These two have no checksum: a digit or a letter that became another one is believed.
test.fails.each([
  ["store.json", "another number of partitions"],
  ["topic.json", "another name"],
])("a broker's %s never gives %s", LONG, async (name, harm) => {
  expect(await damageOf(name)).not.toHaveProperty(harm);
});
