/** Looks up the first record at an offset or a time, anywhere in a large and in a small log. */
import { LogStore } from "@logstore/core";
import { against, type Result } from "../../statistics/result.ts";
import { inTurns, latencies } from "../../statistics/rounds.ts";
import { percentile } from "../../statistics/spread.ts";

const BY_OFFSET = 500;
const BY_TIME = 100;

/** Allows for noise, but not for growth with the size of the log. */
const NO_GROWTH = { atMost: 1.25 };

export async function lookups(big: string, small: string, rounds: number): Promise<Result[]> {
  const [bigStore, smallStore] = [await LogStore.open(big), await LogStore.open(small)];
  const [byBigTime, bySmallTime] = [await byTime(bigStore), await byTime(smallStore)];
  const runs = await inTurns(rounds, {
    smallOffset: () => latencies(BY_OFFSET, byOffset(smallStore)),
    bigOffset: () => latencies(BY_OFFSET, byOffset(bigStore)),
    smallTime: () => latencies(BY_TIME, bySmallTime),
    bigTime: () => latencies(BY_TIME, byBigTime),
  });
  await Promise.all([bigStore.close(), smallStore.close()]);
  const compared = (name: string, share: number, ours: number[][], limit: number[][]) =>
    against(
      { title: name, unit: "µs", baseline: "in a log of 10 MB", ...(share === 0.5 && { goal: NO_GROWTH }) },
      ours.map((times) => percentile(times, share)),
      limit.map((times) => percentile(times, share)),
    );
  return [
    compared("read from an offset, first record: p50", 0.5, runs.bigOffset, runs.smallOffset),
    compared("read from an offset, first record: p99", 0.99, runs.bigOffset, runs.smallOffset),
    compared("read from a time, first record: p50", 0.5, runs.bigTime, runs.smallTime),
    compared("read from a time, first record: p99", 0.99, runs.bigTime, runs.smallTime),
  ];
}

function byOffset(store: LogStore): () => Promise<void> {
  const { endOffset } = store.partition(0);
  return async () => {
    const from = Math.floor(Math.random() * endOffset);
    for await (const { offset } of store.read(0, { from })) {
      if (offset !== from) throw new Error(`offset ${offset} came first, not ${from}`);
      return;
    }
  };
}

/** Times of appends, from all over the log. */
async function byTime(store: LogStore): Promise<() => Promise<void>> {
  const { endOffset } = store.partition(0);
  const times: number[] = [];
  for (let i = 0; i < BY_TIME; i++) {
    for await (const { appendTime } of store.read(0, { from: Math.floor((endOffset * i) / BY_TIME) }).batches()) {
      times.push(appendTime);
      break;
    }
  }
  return async () => {
    const time = times[Math.floor(Math.random() * times.length)]!;
    for await (const batch of store.read(0, { from: { time } }).batches()) {
      if (batch.appendTime !== time) throw new Error(`time ${batch.appendTime} came first, not ${time}`);
      return;
    }
  };
}
