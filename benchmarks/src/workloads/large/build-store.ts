/** Creates a store of a given size, as fast as an application can. */
import { LogStore } from "@logstore/core";
import { type Run, timed } from "../../statistics/rounds.ts";
import { batchOfRecords, RECORDS_PER_BATCH } from "../records.ts";

/** A store on disk, by the size that the tables show. */
export interface SizedStore {
  readonly size: string;
  readonly directory: string;
}

/** Enough for disk and writer to work in parallel. */
const IN_FLIGHT = 4;

export async function buildStore(directory: string, bytes: number): Promise<Run> {
  const store = await LogStore.open(directory, { durability: "written" });
  await store.appendMany(0, batchOfRecords);
  const batchBytes = (await store.partition(0).slice(0, 1))!.length;
  const batches = Math.ceil(bytes / batchBytes);
  let left = batches - 1;
  const appender = async () => {
    while (left-- > 0) await store.appendMany(0, batchOfRecords);
  };
  const run = await timed((batches - 1) * RECORDS_PER_BATCH, async () => {
    await Promise.all(Array.from({ length: IN_FLIGHT }, appender));
  });
  await store.close();
  return run;
}
