/** A group member that records when records of each partition arrived. */
import { type ConsumerOptions, connect } from "@logstore/client";
import { work } from "../worker.ts";

export interface Deliveries {
  /** Time of the first and the last record, in ms since the epoch. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** Longest time between two deliveries, or since the last one, in ms. */
  readonly longestPauseMs: number;
}

const [address = ""] = process.argv.slice(2);
const client = connect(address);
const byPartition = new Map<number, Deliveries>();

async function read(options: ConsumerOptions): Promise<void> {
  for await (const { partition } of client.consumer(options).batches()) {
    const now = wallClock();
    const { firstAt = now, lastAt = now, longestPauseMs = 0 } = byPartition.get(partition) ?? {};
    byPartition.set(partition, { firstAt, lastAt: now, longestPauseMs: Math.max(longestPauseMs, now - lastAt) });
  }
}

/** Comparable between processes, and finer than a millisecond. */
function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

const tasks = {
  join(options: ConsumerOptions): void {
    void read(options); // a failure ends this process
  },
  /** Starts a new observation. */
  watch: () => byPartition.clear(),
  seen(): [partition: number, Deliveries][] {
    const now = wallClock();
    return Array.from(byPartition, ([partition, { longestPauseMs, lastAt, firstAt }]) => {
      return [partition, { firstAt, lastAt, longestPauseMs: Math.max(longestPauseMs, now - lastAt) }];
    });
  },
};
export type WatchingMemberTasks = typeof tasks;
work(tasks);
