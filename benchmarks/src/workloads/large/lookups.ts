/** Looks up the first record at an offset or a time, anywhere in logs of several sizes. */
import { LogStore } from "@logstore/core";
import { type Result, situations } from "../../statistics/result.ts";
import { latencies } from "../../statistics/rounds.ts";
import { percentile } from "../../statistics/spread.ts";
import type { SizedStore } from "./build-store.ts";

const BY_OFFSET = 500;
const BY_TIME = 100;

/** Allows for noise, but not for growth with the size of the log. */
const NO_GROWTH = { atMost: 1.25 };

interface Lookups {
  readonly size: string;
  readonly store: LogStore;
  readonly byTime: () => Promise<void>;
  /** Times of each round, in µs. */
  readonly offsetTimes: number[][];
  readonly timeTimes: number[][];
}

export async function lookups(stores: readonly SizedStore[], rounds: number): Promise<Result[]> {
  const all: Lookups[] = [];
  for (const { size, directory } of stores) {
    const store = await LogStore.open(directory);
    all.push({ size, store, byTime: await byTime(store), offsetTimes: [], timeTimes: [] });
  }
  for (let round = 0; round <= rounds; round++) {
    for (const { store, byTime, offsetTimes, timeTimes } of all) {
      const [offsets, times] = [await latencies(BY_OFFSET, byOffset(store)), await latencies(BY_TIME, byTime)];
      if (round === 0) continue;
      offsetTimes.push(offsets);
      timeTimes.push(times);
    }
  }
  await Promise.all(all.map(({ store }) => store.close()));
  const result = (what: "offset" | "time", share: number, timesOf: (lookups: Lookups) => number[][]) => {
    const name = `lookup.${what}.p${share * 100}`;
    const title = `Read from ${what === "offset" ? "an offset" : "a time"}, first record: p${share * 100}`;
    const runs = all.map((one) => [one.size, timesOf(one).map((times) => percentile(times, share))] as const);
    return situations({ name, title, unit: "µs", ...(share === 0.5 && { goal: NO_GROWTH }) }, Object.fromEntries(runs));
  };
  return [0.5, 0.99].flatMap((share) => [
    result("offset", share, ({ offsetTimes }) => offsetTimes),
    result("time", share, ({ timeTimes }) => timeTimes),
  ]);
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
