/** Checks that are too expensive for each of a million damaged stores, and run for some of them. */
import { writeServerHalf } from "@logstore/codec";
import { LogStore, LogStoreError, type Position, type RecordBatch } from "../../src/index.js";
import type { FileImage } from "../file-image.js";
import type { Random } from "../random.js";
import { collect } from "../records.js";
import { check } from "./check.js";
import type { SampleLog } from "./sample-log.js";

export async function readBatches(
  store: LogStore,
  from: Position = "earliest",
): Promise<{ batches: RecordBatch[]; error: unknown }> {
  const batches: RecordBatch[] = [];
  try {
    for await (const batch of store.read(0, { from }).batches()) batches.push(batch);
  } catch (error) {
    return { batches, error };
  }
  return { batches, error: undefined };
}

/** Reads from an offset or a time: the same batches without a gap, or a LogStoreError. */
export async function checkOtherReads(store: LogStore, { batches }: SampleLog, random: Random): Promise<void> {
  const { endOffset } = store.partition(0);
  const offset = random.whole(0, endOffset);
  const time = random.oneOf(batches).appendTime + random.whole(-1, 1);
  for (const from of [offset, { time }]) {
    const read = await readBatches(store, from);
    const { error } = read;
    const ours = error instanceof LogStoreError && error.code === "CORRUPT_PARTITION";
    check(error === undefined || ours, `reading from ${JSON.stringify(from)}: a foreign error: ${error}`);
    if (error !== undefined && read.batches.length === 0) continue;
    const isFirst = ({ appendTime, nextOffset }: RecordBatch) =>
      typeof from === "number" ? nextOffset > from : appendTime >= from.time;
    const first = batches.findIndex(isFirst);
    const expected = batches.slice(first, first < 0 ? 0 : undefined).filter(({ baseOffset }) => baseOffset < endOffset);
    const same = read.batches.every(({ bytes }, i) => Buffer.compare(bytes, expected[i]!.bytes) === 0);
    const all = error !== undefined || read.batches.length === expected.length;
    check(same && all, `reading from ${JSON.stringify(from)} gives other batches`);
  }
}

/** A partition with known damage accepts no appends, which would follow a gap. */
export async function checkRefuses(store: LogStore): Promise<void> {
  const refused = await store.append(null, "more").then(
    () => "nothing",
    ({ code }: LogStoreError) => code,
  );
  check(refused === "CORRUPT_PARTITION", `appending to a damaged partition gives ${refused}`);
}

/**
 * A recovered store accepts appends, knows its producers, and contains everything when it is opened
 * again.
 */
export async function checkGoesOn(
  store: LogStore,
  storage: FileImage,
  { batches }: SampleLog,
  served: number,
): Promise<void> {
  const end = store.partition(0).endOffset;
  const last = batches.slice(0, served).findLast(({ producerId }) => producerId >= 0);
  if (last !== undefined) {
    const again = Uint8Array.from(last.bytes);
    writeServerHalf(again, { baseOffset: 0, appendTime: 0, flushedUpTo: 0 });
    const { duplicate, baseOffset } = await store.log(0).appendBatches(again);
    check(duplicate && baseOffset === last.baseOffset, "a producer's batch that comes again is taken for a new one");
  }
  check((await store.append(null, "more")).offset === end, "the next offset is not the end");
  await store.close();
  const next = await LogStore.open("store", { storage });
  check(next.recovery.length === 0, "what was recovered once needs recovery again");
  const records = await collect(next.read(0));
  const expected = batches.slice(0, served).flatMap((batch) => [...batch.verify()]);
  check(records.length === end + 1, `${records.length} records, and ${end + 1} are expected`);
  const plain = (record: unknown) => JSON.stringify(record);
  check(
    expected.every((record, i) => plain(record) === plain(records[i])),
    "records are altered",
  );
  await next.close();
}
