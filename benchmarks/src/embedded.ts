/** `@logstore/core` in this process, beside plain file loops. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LogStore } from "@logstore/core";
import { type Comparison, compare, timed } from "./measure.ts";
import { encodeAndWrite, readAndSlice, writeAndSync } from "./raw-file.ts";
import { batchOfRecords, RECORDS_PER_BATCH, record } from "./records.ts";

const SYNCED_APPENDS = 300;
const APPENDERS = 64;

export async function embedded(directory: string, records: number, rounds: number): Promise<Comparison[]> {
  await mkdir(directory);
  const raw = join(directory, "raw");
  let stores = 0;
  const freshStore = (durability: "written" | "flushed") =>
    LogStore.open(join(directory, `store-${stores++}`), { durability });

  const append = async () => {
    const store = await freshStore("written");
    const run = await timed(records, async () => {
      for (let i = 0; i < records; i += RECORDS_PER_BATCH) await store.appendMany(0, batchOfRecords);
    });
    await store.close();
    return run;
  };
  const limitWrite = () => timed(records, () => encodeAndWrite(raw, records));
  const limitRead = () => timed(records, () => void readAndSlice(raw));
  const limitSync = () => timed(SYNCED_APPENDS, () => writeAndSync(join(directory, "synced"), SYNCED_APPENDS));

  const comparisons = [
    await compare(
      { name: "append, 1,000 records a batch, written", limitName: "copy + write", unit: "records" },
      rounds,
      append,
      limitWrite,
    ),
  ];

  const store = await freshStore("written");
  for (let i = 0; i < records; i += RECORDS_PER_BATCH) await store.appendMany(0, batchOfRecords);
  const readRecords = () =>
    timed(records, async () => {
      let bytes = 0;
      for await (const { value } of store.read(0)) bytes += value.length;
      expectBytes(bytes, records);
    });
  const readBatches = () =>
    timed(records, async () => {
      let bytes = 0;
      for await (const batch of store.read(0).batches()) {
        for (const cursor = batch.cursor(); cursor.next(); ) bytes += cursor.value.length;
      }
      expectBytes(bytes, records);
    });
  comparisons.push(
    await compare(
      { name: "read batches, verified, each value", limitName: "read + slice", unit: "records" },
      rounds,
      readBatches,
      limitRead,
    ),
    await compare(
      { name: "read records (for await), verified", limitName: "read + slice", unit: "records" },
      rounds,
      readRecords,
      limitRead,
    ),
  );
  await store.close();

  const synced = await freshStore("flushed");
  const oneByOne = () =>
    timed(SYNCED_APPENDS, async () => {
      for (let i = 0; i < SYNCED_APPENDS; i++) await synced.append(record.key, record.value);
    });
  const together = () =>
    timed(SYNCED_APPENDS * APPENDERS, async () => {
      const appender = async () => {
        for (let i = 0; i < SYNCED_APPENDS; i++) await synced.append(record.key, record.value);
      };
      await Promise.all(Array.from({ length: APPENDERS }, appender));
    });
  comparisons.push(
    await compare(
      { name: "append one by one, flushed", limitName: "write + fdatasync", unit: "appends" },
      rounds,
      oneByOne,
      limitSync,
    ),
    await compare(
      { name: `append by ${APPENDERS} at once, flushed`, limitName: "write + fdatasync", unit: "appends" },
      rounds,
      together,
      limitSync,
    ),
  );
  await synced.close();
  await rm(directory, { recursive: true, force: true });
  return comparisons;
}

function expectBytes(bytes: number, records: number): void {
  const expected = records * record.value.length;
  if (bytes !== expected) throw new Error(`read ${bytes} bytes of values, not ${expected}`);
}
