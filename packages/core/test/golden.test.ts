/**
 * Copies the directories in `golden/` and opens them: every release must read what an earlier one
 * wrote, and report the same damage. If one of these tests fails, the engine is wrong.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { Broker, LogStore, type LogStoreError, type ReadOnlyLogStore } from "../src/index.js";
import { atEnd, T0 } from "./golden/directory.ts";
import type {
  Expected,
  ExpectedBroker,
  ExpectedError,
  ExpectedFile,
  ExpectedFinding,
  ExpectedPartition,
  ExpectedRecord,
  ExpectedRefusal,
  ExpectedStore,
} from "./golden/expected.ts";
import {
  batchBytes,
  brokerJson,
  checkpointBytes,
  crc32c,
  indexBytes,
  producerIdsBytes,
  segmentBytes,
  storeJson,
  topicJson,
  watermarksBytes,
} from "./golden/format.ts";
import { GOLDEN, goldenFiles } from "./golden/make-golden-directories.ts";
import { caught, text } from "./records.js";
import { temporaryDirectory } from "./temporary-directory.js";

/** The id in the example on the page. */
const TOPIC_ID = "00112233-4455-4677-8899-aabbccddeeff";

const directories = ["", "corrupt/"].flatMap((under) =>
  readdirSync(new URL(under, GOLDEN)).flatMap((name) => (name === "corrupt" ? [] : [under + name])),
);
const all = directories.map((name) => {
  const content = readFileSync(new URL(`${name}/expected.json`, GOLDEN), "utf8");
  return [name, JSON.parse(content) as Expected] as const;
});
const refused = all.filter((each): each is [string, ExpectedRefusal] => "refused" in each[1]);
const stores = all.filter((each): each is [string, ExpectedStore] => each[1].is === "store" && "after" in each[1]);
const brokers = all.filter((each): each is [string, ExpectedBroker] => each[1].is === "broker" && "after" in each[1]);

test("the script generates exactly the directories that are here", () => {
  const here = [...filesIn(fileURLToPath(GOLDEN))].map(([path, bytes]) => [path, bytes.toString("hex")]);
  const made = [...goldenFiles()].map(([path, bytes]) => [path, bytes.toString("hex")]);
  expect(Object.fromEntries(here)).toEqual(Object.fromEntries(made));
});

test("the script's bytes equal the worked examples of the format pages", () => {
  const batches = ["hello", "world"].map((value, i) => ({
    baseOffset: i,
    appendTime: T0,
    flushedUpTo: i,
    producer: [7, 0, i] as const,
    records: [{ timestamp: 1, key: null, value }],
  }));
  const producers = [
    [
      7,
      0,
      2,
      [
        [0, 1, 0],
        [1, 1, 1],
      ],
    ],
  ];
  expect(examples("segment", "hex")).toEqual([segmentBytes(batches).toString("hex")]);
  expect(examples("index", "hex")).toEqual([indexBytes(0, batches).toString("hex")]);
  expect(examples("watermarks", "hex")).toEqual([watermarksBytes([[0, 2]]).toString("hex")]);
  expect(examples("checkpoint", "json")).toEqual([checkpointBytes({ ...atEnd({ 0: batches }), producers }).toString()]);
  const files = [storeJson(1), brokerJson(), topicJson("web-logs", {}, TOPIC_ID), producerIdsBytes(1001)];
  expect(examples("directory", "json")).toEqual(files.map(String));
});

test("each directory is of one kind", () => {
  expect([...refused, ...stores, ...brokers].map(([name]) => name).sort()).toEqual(directories.sort());
});

describe.each(refused)("%s", (name, expected) => {
  test("is refused and not modified", async () => {
    const [directory, before] = copyOf(name);
    const open = expected.is === "store" ? LogStore.open : Broker.open;
    expect(plainError(await caught(open(directory)), directory)).toEqual(expected.refused);
    expect(filesIn(directory)).toEqual(before);
  });

  test.runIf(expected.is === "store")("cannot be opened read-only either", async () => {
    const [directory, before] = copyOf(name);
    expect(plainError(await caught(LogStore.openReadOnly(directory)), directory)).toEqual(expected.refused);
    expect(filesIn(directory)).toEqual(before);
  });
});

describe.each(stores)("%s", (name, expected) => {
  test("opened for writing: recovery, records, findings, and the files afterwards", async () => {
    const [directory, before] = copyOf(name);
    const store = await opened(LogStore.open(directory));
    expect(recoveryOf(store, directory)).toEqual(expected.recovery);
    expect(store.partitionCount).toBe(expected.partitions.length);
    for (const [partition, each] of expected.partitions.entries()) await checkPartition(store, partition, each);
    const findings = await findingsOf(store);
    if (expected.findings === "some") expect(findings).not.toEqual([]);
    else expect(findings).toEqual(expected.findings);
    await store.close();
    checkFiles(directory, before, expected.after);
  });

  test("opened read-only: the same records, and no byte changes", async () => {
    const [directory, before] = copyOf(name);
    const store = await opened(LogStore.openReadOnly(directory));
    const partitions = expected.readOnly ?? expected.partitions;
    expect(store.partitionCount).toBe(partitions.length);
    for (const [partition, each] of partitions.entries()) await checkPartition(store, partition, each);
    await store.close();
    expect(filesIn(directory)).toEqual(before);
  });

  test("accepts appends at its end, or none if it is damaged", async () => {
    const store = await opened(LogStore.open(copyOf(name)[0]));
    for (const [partition, { end, producers = [] }] of expected.partitions.entries()) {
      const damage = expected.recovery.find((each) => each.partition === partition)?.damage;
      for (const [id, epoch, sequence, count, outcome] of producers) {
        const records = Array.from({ length: count }, () => ({ timestamp: 0, key: null, value: "again" }));
        const producer = [id, epoch, sequence] as const;
        const batch = batchBytes({ baseOffset: 0, appendTime: 0, flushedUpTo: 0, producer, records });
        const appended = store.log(partition).appendBatches(batch);
        if (typeof outcome === "string") expect(await caught(appended)).toMatchObject({ code: outcome });
        else expect(await appended).toMatchObject({ baseOffset: outcome, duplicate: outcome < end });
      }
      const next = Math.max(
        end,
        ...producers.map(([, , , , outcome]) => (typeof outcome === "number" ? outcome + 1 : 0)),
      );
      const append = store.append(null, "next", { partition });
      if (damage === undefined) expect(await append).toMatchObject({ partition, offset: next });
      else expect(plainError(await caught(append))).toEqual(damage);
    }
  });

  test.runIf(expected.repaired !== undefined)("after a repair there are no findings", async () => {
    const [directory] = copyOf(name);
    const store = await opened(LogStore.open(directory));
    expect((await store.repair()).length).toBe(expected.findings.length);
    await store.repair({ dryRun: false });
    await store.close();
    const again = await opened(LogStore.open(directory));
    expect(again.recovery).toEqual([]);
    expect(await findingsOf(again)).toEqual([]);
    for (const [partition, { start, end, offsets }] of expected.repaired!.entries()) {
      const { startOffset, endOffset } = again.partition(partition);
      expect({ startOffset, endOffset }).toEqual({ startOffset: start, endOffset: end });
      expect(await again.append(null, "next", { partition })).toMatchObject({ offset: end });
      const { records, error } = await recordsUntilError(again, partition);
      expect(error).toBeUndefined();
      expect(records.map(({ offset }) => offset)).toEqual([...offsets, end]);
    }
  });
});

describe.each(brokers)("%s", (name, expected) => {
  test("opened: topics, records, and the files afterwards", async () => {
    const [directory, before] = copyOf(name);
    const broker = await opened(Broker.open(directory));
    const { partitions, unreadable } = broker.recovery;
    expect(partitions).toEqual([]);
    const readable = unreadable.map((each) => ({
      directory: relative(directory, each.directory),
      error: plainError(each.error, directory),
    }));
    expect(readable).toEqual(expected.unreadable);
    const topics = await broker.listTopics();
    expect(topics).toEqual(
      // Release 0.1.0 wrote no topic id: it is derived from the id in store.json, and equals the
      // one on the page.
      expected.topics.map((each) => ({
        topic: each.topic,
        topicId: TOPIC_ID,
        partitionCount: each.partitions.length,
      })),
    );
    for (const each of expected.topics) {
      expect(broker.topicConfig(each.topic)).toEqual(each.config);
      const store = broker.topic(each.topic);
      for (const [partition, expectedHere] of each.partitions.entries())
        await checkPartition(store, partition, expectedHere);
      expect(await findingsOf(store)).toEqual([]);
    }
    await broker.close();
    checkFiles(directory, before, expected.after);
  });

  test("its topics opened read-only: the same records, and no byte changes", async () => {
    const [directory, before] = copyOf(name);
    for (const topic of expected.topics) {
      const store = await opened(LogStore.openReadOnly(join(directory, topic.directory)));
      for (const [partition, each] of topic.partitions.entries()) await checkPartition(store, partition, each);
      await store.close();
    }
    expect(filesIn(directory)).toEqual(before);
  });

  test("allocates producer ids that were never allocated before", async () => {
    const [directory] = copyOf(name);
    const broker = await opened(Broker.open(directory));
    const allocated = broker.allocateProducerId();
    if (typeof expected.producerId === "number") expect(await allocated).toBe(expected.producerId);
    else expect(plainError(await caught(allocated), directory)).toEqual(expected.producerId);
  });
});

function examples(page: string, language: "hex" | "json"): string[] {
  const content = readFileSync(new URL(`../../../docs/format/${page}.md`, import.meta.url), "utf8");
  const blocks = [...content.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, code]) => code!,
  );
  return language === "json" ? blocks : blocks.map((code) => code.replace(/#.*/g, "").replace(/\s/g, ""));
}

function copyOf(name: string): [directory: string, files: Map<string, Buffer>] {
  const directory = join(temporaryDirectory(), "copy");
  mkdirSync(directory);
  cpSync(new URL(`${name}/files/`, GOLDEN), directory, { recursive: true });
  return [directory, filesIn(directory)];
}

async function opened<Opened extends { close(): Promise<void> }>(opening: Promise<Opened>): Promise<Opened> {
  const store = await opening;
  onTestFinished(() => store.close());
  return store;
}

function filesIn(directory: string): Map<string, Buffer> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
  const files = names.sort().filter((name) => statSync(join(directory, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(directory, name))]));
}

function checkFiles(
  directory: string,
  before: ReadonlyMap<string, Buffer>,
  after: Readonly<Record<string, ExpectedFile>>,
): void {
  // Existing files keep their names; the names of new files may be partly random.
  const named = [...filesIn(directory)].map(([name, bytes]): [string, Buffer] => [
    before.has(name) ? name : name.replace(/\.[0-9a-f]{8}\.(torn|damaged)$/, ".????????.$1"),
    bytes,
  ]);
  expect(named.map(([name]) => name).sort()).toEqual(Object.keys(after).sort());
  for (const [name, bytes] of named) {
    const expected = after[name]!;
    if (expected === "as before") expect(bytes.toString("hex"), name).toBe(before.get(name)!.toString("hex"));
    else if ("checkedJson" in expected) expect(checkedJson(bytes), name).toEqual(expected.checkedJson);
    else if ("hex" in expected) expect(bytes.toString("hex"), name).toBe(expected.hex);
    else {
      const slice = before.get(expected.bytesOf)!.subarray(expected.from, expected.to);
      expect(bytes.toString("hex"), name).toBe(slice.toString("hex"));
    }
  }
}

/** The first line; the second is its checksum. */
function checkedJson(bytes: Buffer): unknown {
  const [line, crc, ...rest] = bytes.toString().split("\n");
  expect(rest).toEqual([""]);
  expect(crc).toBe(
    crc32c(Buffer.from(`${line}\n`))
      .toString(16)
      .padStart(8, "0"),
  );
  return JSON.parse(line!);
}

type Store = LogStore | ReadOnlyLogStore;

async function checkPartition(store: Store, partition: number, expected: ExpectedPartition): Promise<void> {
  const { startOffset, endOffset } = store.partition(partition);
  expect({ start: startOffset, end: endOffset }).toEqual({ start: expected.start, end: expected.end });
  const { records, error } = await recordsUntilError(store, partition);
  expect(records).toEqual(expected.records.map(plainExpected));
  expect(error).toEqual(expected.error);
  for (const { offset } of error === undefined ? expected.records : []) {
    const from = records.filter((record) => record.offset >= offset);
    expect((await recordsUntilError(store, partition, offset)).records).toEqual(from);
  }
  const { behind, times = [] } = expected;
  if (behind !== undefined) {
    const read = await recordsUntilError(store, partition, behind.from);
    expect(read).toEqual({ records: behind.records.map(plainExpected), error: undefined });
  }
  for (const [time, offset] of times) {
    const next = await store.read(partition, { from: { time } })[Symbol.asyncIterator]().next();
    expect([time, next.value?.offset ?? endOffset]).toEqual([time, offset]);
  }
}

async function recordsUntilError(store: Store, partition: number, from?: number) {
  const records: ReturnType<typeof plainExpected>[] = [];
  try {
    for await (const { offset, timestamp, key, value, headers } of store.read(partition, { from })) {
      const plainHeaders = headers.map((header) => [header.name, text(header.value)]);
      records.push({ offset, timestamp, key: text(key), value: text(value)!, headers: plainHeaders });
    }
  } catch (error) {
    return { records, error: plainError(error as LogStoreError) };
  }
  return { records, error: undefined };
}

function plainExpected({ offset, timestamp, key, value, headers = [] }: ExpectedRecord) {
  const plain = typeof value === "string" ? value : value[1].repeat(value[0]);
  return { offset, timestamp, key, value: plain, headers: headers.map((header): (string | null)[] => [...header]) };
}

/** Code and fields; files are relative to the directory. */
function plainError(error: LogStoreError, directory?: string): ExpectedError {
  const { code, fields } = error;
  if (fields === undefined) throw error;
  const file = directory === undefined ? fields.file : fields.file?.replace(`${directory}/`, "");
  return JSON.parse(JSON.stringify({ code, ...fields, file }));
}

function recoveryOf(store: LogStore, directory: string) {
  return store.recovery.map(({ partition, damage, tornTail }) => ({
    partition,
    ...(damage && { damage: plainError(damage, directory) }),
    ...(tornTail && { tornTail: { file: tornTail.file, byte: tornTail.byte, length: tornTail.length } }),
  }));
}

async function findingsOf(store: LogStore): Promise<ExpectedFinding[]> {
  const findings: ExpectedFinding[] = [];
  for await (const event of store.verify()) {
    if (event.type !== "finding") continue;
    const { type: _, reason: __, nextOffset, ...finding } = event;
    findings.push(nextOffset === undefined ? finding : { ...finding, nextOffset });
  }
  return findings;
}
