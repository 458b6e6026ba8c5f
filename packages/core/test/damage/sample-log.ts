/**
 * A partition's log of 64 KiB with everything that a log can contain: batches of one record and of
 * many, with keys and headers, compressed, of idempotent producers, flushed and only written. There
 * are three images of its files: of a store that was closed, of one that crashed, and of one that
 * was closed half-way, reopened and then crashed.
 */
import { frameBatches } from "@logstore/codec";
import { expect } from "vitest";
import { Broker, type RecordBatch } from "../../src/index.js";
import { type Files, imageOf } from "../file-image.js";
import { HookedStorage } from "../hooked-storage.js";
import type { Random } from "../random.js";
import { sealedRecords } from "../records.js";

/** Size of the batches. */
export const LOG_BYTES = 64 * 1024;
/** Zeros after them if the store was not closed: part of what small flushed appends preallocate. */
const ZEROS_AHEAD_BYTES = 500;
export const LOG = "store/0/00000000000000000000.log";

export type State = "closed" | "crashed" | "closed half-way";

export interface SampleLog {
  readonly logs: Readonly<Record<State, Uint8Array>>;
  readonly batches: readonly RecordBatch[];
  /** The positions of the batches, and of the end of the last one. */
  readonly starts: readonly number[];
  readonly files: Readonly<Record<State, Files>>;
  /** The recovery point in the checkpoint. */
  readonly recoveryPoint: Readonly<Record<State, number>>;
}

const TOPIC = { topic: "t", partition: 0 };

export async function sampleLog(random: Random): Promise<SampleLog> {
  const storage = new HookedStorage();
  storage.time = 1_700_000_000_000;
  let broker = await Broker.open("data", { storage });
  await broker.createTopic({ topic: "t", partitions: 1 });
  const directory = `data/topics/${(await storage.list("data/topics"))![0]}`;
  let bytes = 0;
  const produce = async (batches: Uint8Array) => {
    bytes += batches.length;
    storage.time! += random.whole(-2, 9); // a clock may jump back
    // The last batches are not known to be durable, so that they may be truncated.
    const durability = random.oneOf(
      bytes > 0.9 * LOG_BYTES ? (["written"] as const) : (["flushed", "written"] as const),
    );
    await broker.produce({ ...TOPIC, batches, durability });
  };
  const nextBatch = batchMaker(random);
  while (bytes < LOG_BYTES / 2) await produce(nextBatch());
  await broker.close();
  const halfWay = broker.topic("t").partition(0).endOffset;
  broker = await Broker.open("data", { storage });
  for (let batch = nextBatch(); bytes + batch.length < LOG_BYTES - 200; batch = nextBatch()) await produce(batch);
  await produce(batchOfLength(LOG_BYTES - bytes));
  const crashed = await storeOf(storage, directory);
  await broker.close();
  const closed = await storeOf(storage, directory);
  const log = closed.get(LOG)!;
  expect(log.length).toBe(LOG_BYTES);
  const batches = [...frameBatches(log)];
  const starts = [0];
  for (const { byteLength } of batches) starts.push(starts.at(-1)! + byteLength);
  const neverClosed = new Map(crashed);
  for (const name of crashed.keys()) if (/checkpoint|index/.test(name)) neverClosed.delete(name);
  const withZeros = Buffer.concat([log, new Uint8Array(ZEROS_AHEAD_BYTES)]);
  return {
    logs: { closed: log, crashed: withZeros, "closed half-way": withZeros },
    batches,
    starts,
    files: { closed, crashed: neverClosed, "closed half-way": crashed },
    recoveryPoint: { closed: batches.at(-1)!.nextOffset, crashed: 0, "closed half-way": halfWay },
  };
}

/**
 * A topic's directory as a standalone store: without `topic.json` it does not belong to a broker.
 */
async function storeOf(storage: HookedStorage, directory: string): Promise<Map<string, Uint8Array>> {
  const files = await imageOf(storage, directory, "store");
  files.delete("store/topic.json");
  return files;
}

const WORDS = ["append", "batch", "commit", "durable", "epoch", "flush", "log", "offset", "segment", "tail"];

/** Batches of every kind in turn, as a partition would accept them. */
function batchMaker(random: Random): () => Uint8Array {
  const sequences = [0, 2 ** 32 - 16]; // the second producer's sequence wraps around after a while
  const words = (count: number) => Array.from({ length: count }, () => random.oneOf(WORDS)).join(" ");
  return () => {
    const count = random.oneOf([1, 2, 20, 90]);
    const records = Array.from({ length: count }, (_, i) => ({
      key: random.oneOf([null, "", words(1), random.bytes(9)]),
      value: random.chance(0.2) ? random.bytes(random.whole(0, 300)) : words(random.whole(0, 30)),
      timestamp: 1_700_000_000_000 + i * random.whole(-5, 5),
      headers: random.chance(0.2) ? [{ name: words(1), value: random.bytes(5) }] : undefined,
    }));
    const compression = random.oneOf(["none", "none", "gzip", "zstd"]);
    const producer = random.whole(-1, 1);
    const baseSequence = sequences[producer];
    if (baseSequence === undefined) return sealedRecords(records, undefined, compression);
    sequences[producer] = (baseSequence + count) % 2 ** 32;
    return sealedRecords(records, { producerId: 70 + producer, producerEpoch: 3, baseSequence }, compression);
  };
}

function batchOfLength(bytes: number): Uint8Array {
  const withValue = (length: number) => sealedRecords([{ key: null, value: "x".repeat(length), timestamp: 1 }]);
  const spare = withValue(bytes - 80).length - bytes;
  return withValue(bytes - 80 - spare);
}
