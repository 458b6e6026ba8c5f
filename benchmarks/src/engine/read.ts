/** Reads a log from start to end, verifying every checksum. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { LogStore } from "@logstore/core";
import { withFreshStore } from "../fresh-store.ts";
import { against, inTurns, type Result, rate, timed } from "../measure.ts";
import { encodeAndWrite, readAndSlice } from "../raw-file.ts";
import { batchOfRecords, RECORDS_PER_BATCH, record } from "../records.ts";
import type { Settings } from "../settings.ts";

export async function read({ directory, records, rounds }: Settings): Promise<Result[]> {
  const raw = join(directory, "raw");
  encodeAndWrite(raw, records, { checksum: false, keep: true });
  const runs = await withFreshStore(directory, { durability: "written" }, async (store) => {
    for (let i = 0; i < records; i += RECORDS_PER_BATCH) await store.appendMany(0, batchOfRecords);
    return inTurns(rounds, {
      plain: () => timed(records, () => expectBytes(readAndSlice(raw), records)),
      batches: () => timed(records, async () => expectBytes(await readBatches(store), records)),
      records: () => timed(records, async () => expectBytes(await readRecords(store), records)),
    });
  });
  rmSync(raw);
  const names = { limitName: "read + slice", unit: "records/s", target: { atLeast: 0.8 } };
  const plain = runs.plain.map(rate);
  return [
    against({ ...names, name: "read batches, verified, each value" }, runs.batches.map(rate), plain),
    against({ ...names, name: "read records (for await), verified" }, runs.records.map(rate), plain),
  ];
}

async function readBatches(store: LogStore): Promise<number> {
  let bytes = 0;
  for await (const batch of store.read(0).batches()) {
    for (const cursor = batch.cursor(); cursor.next(); ) bytes += cursor.value.length;
  }
  return bytes;
}

async function readRecords(store: LogStore): Promise<number> {
  let bytes = 0;
  for await (const { value } of store.read(0)) bytes += value.length;
  return bytes;
}

function expectBytes(bytes: number, records: number): void {
  const expected = records * record.value.length;
  if (bytes !== expected) throw new Error(`read ${bytes} bytes of values, not ${expected}`);
}
