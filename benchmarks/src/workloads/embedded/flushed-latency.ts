/**
 * Appends that are acknowledged when they are on disk: the latency of one, and how many share a
 * flush.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { RecordBatchBuilder } from "@logstore/codec";
import type { LogStore } from "@logstore/core";
import type { Settings } from "../../settings.ts";
import { against, type Result } from "../../statistics/result.ts";
import { inTurns, latencies, rate, timed } from "../../statistics/rounds.ts";
import { percentile } from "../../statistics/spread.ts";
import { withFreshStore } from "../fresh-store.ts";
import { record } from "../records.ts";

/**
 * Per run of one appender. Runs are short and alternate, because the speed of a disk changes within
 * seconds.
 */
const APPENDS = 500;
const APPENDERS = 64;

export function flushedLatency({ directory, rounds }: Settings): Promise<Result[]> {
  return withFreshStore(directory, { durability: "flushed" }, async (store) => {
    const append = async () => void (await store.append(record.key, record.value));
    const { times, rates } = await measure(directory, rounds, store, append);
    const p50 = (runs: number[][]) => runs.map((run) => percentile(run, 0.5));
    const one = { title: "append, flushed: p50", unit: "µs" };
    const many = { title: `${APPENDERS} appenders at once, flushed`, unit: "appends/s" };
    return [
      against(
        { ...one, baseline: "write + fdatasync in place", goal: { atMost: 1.25 } },
        p50(times.ours),
        p50(times.bare),
      ),
      against({ ...one, baseline: "the same, fdatasync in Node's pool" }, p50(times.ours), p50(times.pooled)),
      against({ ...many, baseline: "one appender", goal: { atLeast: 30 } }, rates.many, rates.one),
      against({ ...many, baseline: "write + fdatasync in place" }, rates.many, rates.bare),
    ];
  });
}

async function measure(directory: string, rounds: number, store: LogStore, append: () => Promise<void>) {
  const bytes = sealedRecord();
  const files = {
    bare: syncedWriter(join(directory, "bare"), bytes),
    pooled: syncedWriter(join(directory, "p"), bytes),
  };
  const appender = async () => {
    for (let i = 0; i < APPENDS; i++) await append();
  };
  const times = await inTurns(rounds, {
    bare: () => latencies(APPENDS, files.bare.write),
    ours: () => latencies(APPENDS, append),
    pooled: () => latencies(APPENDS, files.pooled.writeInPool),
  });
  const runs = await inTurns(rounds, {
    bare: () =>
      timed(APPENDS, () => {
        for (let i = 0; i < APPENDS; i++) files.bare.write();
      }),
    one: () => timed(APPENDS, appender),
    many: () =>
      timed(APPENDS * APPENDERS, async () => {
        await Promise.all(Array.from({ length: APPENDERS }, appender));
      }),
  });
  if (store.partition(0).endOffset === 0) throw new Error("nothing was appended");
  for (const file of Object.values(files)) file.close();
  return { times, rates: { bare: runs.bare.map(rate), one: runs.one.map(rate), many: runs.many.map(rate) } };
}

/** The bytes of one record as stored in the log. */
function sealedRecord(): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(record.key, record.value, record.timestamp);
  return builder.seal();
}

const syncInPool = promisify(fdatasync);

/** Repeatedly appends the same bytes to a file and makes them durable. */
function syncedWriter(path: string, bytes: Uint8Array) {
  const file = openSync(path, "w");
  return {
    write() {
      writeSync(file, bytes);
      fdatasyncSync(file);
    },
    /** The way of asynchronous code: another thread syncs, at the cost of two thread switches. */
    async writeInPool() {
      writeSync(file, bytes);
      await syncInPool(file);
    },
    close() {
      closeSync(file);
    },
  };
}
