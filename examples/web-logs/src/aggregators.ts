/**
 * The group that reads the log as it is written. Each member counts the accesses in its partitions,
 * which are those of some of the clients.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Consumer, connect, type LogClient } from "@logstore/client";
import { type Access, accessFormat, TOPIC } from "./access.ts";
import { Statistics, type Tally, WINDOW_MS } from "./statistics.ts";

const GROUP = "statistics";
const ASK_AGAIN_MS = 50;

interface Member {
  readonly consumer: Consumer<Access>;
  readonly statistics: Statistics;
  /** Resolves when the member has stopped. */
  readonly done: Promise<void>;
}

export class Aggregators {
  /** All members share one connection here. They could be processes of their own. */
  readonly #client: LogClient;
  readonly #members: Member[] = [];

  constructor(address: string) {
    this.#client = connect(address);
  }

  /** Resolves when there is one more member, with partitions of its own. */
  async start(): Promise<void> {
    const assigned = Promise.withResolvers<void>();
    const consumer = this.#client.consumer({
      group: GROUP,
      topics: [TOPIC],
      value: accessFormat,
      commitIntervalMs: ASK_AGAIN_MS,
      onAssigned: () => assigned.resolve(),
    });
    const statistics = new Statistics();
    const done = aggregate(consumer, statistics);
    this.#members.push({ consumer, statistics, done });
    await Promise.race([assigned.promise, done]);
  }

  /** Resolves when everything logged has been counted and committed. */
  async caughtUp(): Promise<void> {
    for (;;) {
      const { partitions } = await this.#client.describeGroup(GROUP);
      if (partitions.every(({ lag }) => lag === 0)) return;
      await sleep(ASK_AGAIN_MS);
    }
  }

  /** Prints a line about the window that contains a time, if anything happened in it. */
  printWindow(time: number): void {
    const start = time - (time % WINDOW_MS);
    const paths = Array.from(this.#sums(start), ([path, tally]) => ({ path, ...tally.summary }));
    if (paths.length === 0) return;
    const clock = new Date(start).toISOString().slice(11, 19);
    const requests = paths.reduce((sum, { requests }) => sum + requests, 0);
    const errors = paths.reduce((sum, { errors }) => sum + errors, 0);
    const slowest = paths.toSorted((a, b) => b["p95 ms"] - a["p95 ms"])[0]!;
    const tail = `p95 ${slowest["p95 ms"]} ms (partitions: ${this.shares})`;
    console.log(`${clock} ${requests} requests, ${errors} errors; slowest: ${slowest.path}, ${tail}`);
  }

  /** The number of partitions of each member. */
  get shares(): string {
    return this.#members.map(({ consumer }) => consumer.assignment.length).join(" + ");
  }

  printTotals(): void {
    console.table(Object.fromEntries(Array.from(this.#sums(), ([path, tally]) => [path, tally.summary])));
  }

  /** The number of accesses by path and status: "/report 200". */
  counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [path, { byStatus }] of this.#sums()) {
      for (const [status, count] of byStatus) counts.set(`${path} ${status}`, count);
    }
    return counts;
  }

  async stop(): Promise<void> {
    await this.#client.close();
    await Promise.all(this.#members.map(({ done }) => done));
  }

  #sums(start?: number): Map<string, Tally> {
    const sums = new Map<string, Tally>();
    for (const { statistics } of this.#members) statistics.addTo(sums, start);
    return sums;
  }
}

async function aggregate(consumer: Consumer<Access>, statistics: Statistics): Promise<void> {
  for await (const { value, timestamp } of consumer) statistics.add(value, timestamp);
}
