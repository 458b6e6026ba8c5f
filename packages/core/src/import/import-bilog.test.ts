import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { A, AGAIN, bilogRecord, EMPTY, goDirectory, HELLO, hex, importFile } from "../../test/bilog.js";
import { HookedStorage } from "../../test/hooked-storage.js";
import { caught, collect, values } from "../../test/records.js";
import { everyFile, temporaryDirectory } from "../../test/temporary-directory.js";
import { importBilog, LogStore } from "../index.js";

test("the example in docs/format/bilog.md, on disk", async () => {
  const page = readFileSync(new URL("../../../../docs/format/bilog.md", import.meta.url), "utf8");
  const bytes = hex(/```hex\n([\s\S]*?)```/.exec(page)![1]!);
  expect(bytes).toEqual(Buffer.concat([HELLO, AGAIN]));
  const directory = temporaryDirectory();
  for (let n = 0; n < 10; n++) writeFileSync(`${directory}/${n}.bilog`, n === 5 ? bytes : "");
  const before = everyFile(directory);

  await using store = await LogStore.open(temporaryDirectory(), { partitions: 9 }); // the Go program never used its tenth partition
  const { files } = await importBilog(`${directory}/`, store);

  expect(files).toHaveLength(10);
  expect(files[5]).toEqual({ file: "5.bilog", partition: 5, records: 2, bytes: 41, damagedBytes: 0, damaged: [] });
  expect(files[9]).toMatchObject({ file: "9.bilog", partition: 9, records: 0, bytes: 0, damaged: [] });
  const records = await collect(store.read(5));
  expect(records.map(({ key, value }) => [key, Buffer.from(value).toString()])).toEqual([
    [null, "Hello World!"],
    [null, "again"],
  ]);
  expect(everyFile(directory)).toEqual(before);
  // With one partition fewer, the next record of the key goes to the partition of its older ones.
  expect(await store.append("10084", "later")).toMatchObject({ partition: 5, offset: 2 });
});

test("a record without payload is imported", async () => {
  expect(await importFile([EMPTY, A, EMPTY, EMPTY])).toMatchObject({ values: ["", "a", "", ""], damaged: [] });
});

test("files longer than one read keep their order", async () => {
  const payloads = Array.from({ length: 3000 }, (_, i) => Buffer.alloc(i, `${i} `));
  const found = await importFile(payloads.map(bilogRecord));
  expect(found).toMatchObject({ records: 3000, damaged: [] });
  expect(found.values).toEqual(payloads.map(String));
});

test("a record longer than one read", async () => {
  const long = Buffer.alloc(3_000_000, "long ");
  expect((await importFile([A, bilogRecord(long), AGAIN])).values).toEqual(["a", long.toString(), "again"]);
});

test("numbers may be missing, and other files are ignored", async () => {
  const storage = await goDirectory({
    "10.bilog": [AGAIN],
    "2.bilog": [HELLO],
    "02.bilog": [A],
    "3.bilog.bak": [A],
    "logs4.bilog": [A],
    "-1.bilog": [A],
    "9999999999999999999.bilog": [A],
    README: [A],
  });
  await using store = await LogStore.open(":memory:", { partitions: 11 });
  const { files } = await importBilog("go", store, { storage });
  expect(files.map(({ file, partition, records }) => [file, partition, records])).toEqual([
    ["2.bilog", 2, 1],
    ["10.bilog", 10, 1],
  ]);
  expect(await values(store, 10)).toEqual(["again"]);
});

test("the directory is not modified", async () => {
  const storage = new HookedStorage(await goDirectory({ "0.bilog": [HELLO, AGAIN.subarray(3)] }));
  await using store = await LogStore.open(":memory:");
  await importBilog("go", store, { storage });
  expect(storage.calls).toEqual([]);
});

test("a store with too few partitions imports nothing, and the error has the number needed", async () => {
  const storage = await goDirectory({ "0.bilog": [A], "3.bilog": [A], "4.bilog": [] });
  await using store = await LogStore.open(":memory:", { partitions: 3 });
  const error = await caught(importBilog("go", store, { storage }));
  expect(error).toMatchObject({ code: "PARTITION_COUNT_MISMATCH", expected: 4, actual: 3, partition: 3 });
  expect(error.message).toContain("4 partitions");
  expect(await values(store)).toEqual([]);
});

test("nothing is imported twice", async () => {
  const storage = await goDirectory({ "0.bilog": [A], "1.bilog": [A] });
  await using store = await LogStore.open(":memory:", { partitions: 2 });
  await store.append(null, "there before", { partition: 1 });
  const error = await caught(importBilog("go", store, { storage }));
  expect(error).toMatchObject({ code: "WRONG_EXPECTED_OFFSET", file: "1.bilog", partition: 1, expected: 0, actual: 1 });
  expect(await values(store)).toEqual([]);
});

test("no other writer's record gets between the imported ones", async () => {
  const long = bilogRecord(Buffer.alloc(1_200_000));
  const storage = new HookedStorage(await goDirectory({ "0.bilog": [long, long] }));
  await using store = await LogStore.open(":memory:");
  storage.before = async ({ kind }) => {
    if (kind === "read" && store.partition(0).endOffset === 1) await store.append(null, "between");
  };
  const error = await caught(importBilog("go", store, { storage }));
  expect(error).toMatchObject({ code: "WRONG_EXPECTED_OFFSET", expected: 1, actual: 2 });
});

test("a directory without such files, or no directory at all", async () => {
  const storage = await goDirectory({ "store.json": [] });
  await using store = await LogStore.open(":memory:");
  for (const directory of ["go", "nowhere"]) {
    expect(await caught(importBilog(directory, store, { storage }))).toMatchObject({ code: "NOT_A_LOG_STORE" });
  }
});

test("an invalid limit", async () => {
  await using store = await LogStore.open(":memory:");
  for (const maxRecordBytes of [0, 12, 1.5, 2 ** 31, Number.NaN]) {
    expect(await caught(importBilog("go", store, { maxRecordBytes }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  }
});

test("a record that the store does not accept", async () => {
  const storage = await goDirectory({ "0.bilog": [bilogRecord(Buffer.alloc(5000))] });
  await using store = await LogStore.open(":memory:", { maxBatchBytes: 4096 });
  expect(await caught(importBilog("go", store, { storage }))).toMatchObject({ code: "RECORD_TOO_LARGE" });
});

test("an aborted import throws the signal's reason", async () => {
  const inner = await goDirectory({ "0.bilog": [bilogRecord(Buffer.alloc(2_000_000)), A], "1.bilog": [A] });
  const storage = new HookedStorage(inner);
  await using store = await LogStore.open(":memory:", { partitions: 2 });
  const controller = new AbortController();
  storage.before = ({ kind }) => {
    if (kind === "read") controller.abort(new Error("enough"));
  };
  await expect(importBilog("go", store, { storage, signal: controller.signal })).rejects.toThrow("enough");
  expect(await values(store, 1)).toEqual([]);
  await expect(importBilog("go", store, { storage, signal: controller.signal })).rejects.toThrow("enough");
});
