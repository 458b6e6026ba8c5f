/**
 * Requests, errors and latencies by path, in windows of one second. The counts of several members
 * can be added.
 */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Access } from "./access.ts";

export const WINDOW_MS = 1_000;

/** Statistics of a set of accesses. */
export class Tally {
  readonly byStatus = new Map<number, number>();
  /** In µs. */
  readonly #latency: RecordableHistogram = createHistogram();

  add({ status, durationUs }: Access): void {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    this.#latency.record(Math.max(durationUs, 1));
  }

  addAll(other: Tally): void {
    for (const [status, count] of other.byStatus) this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + count);
    this.#latency.add(other.#latency);
  }

  get summary() {
    const ms = (percent: number) => Number((this.#latency.percentile(percent) / 1000).toFixed(1));
    return { requests: this.#count(0), errors: this.#count(400), "p50 ms": ms(50), "p95 ms": ms(95), "p99 ms": ms(99) };
  }

  #count(minStatus: number): number {
    let sum = 0;
    for (const [status, count] of this.byStatus) if (status >= minStatus) sum += count;
    return sum;
  }
}

export class Statistics {
  /** By start of the window in ms since the epoch, then by path. */
  readonly #windows = new Map<number, Map<string, Tally>>();

  add(access: Access, time: number): void {
    const start = time - (time % WINDOW_MS);
    const window = this.#windows.get(start) ?? new Map<string, Tally>();
    this.#windows.set(start, window);
    tallyOf(window, access.path).add(access);
  }

  /** Adds the statistics of one window, or of all of them, to `sums`, by path. */
  addTo(sums: Map<string, Tally>, start?: number): void {
    const windows =
      start === undefined ? this.#windows.values() : [this.#windows.get(start) ?? new Map<string, Tally>()];
    for (const window of windows) for (const [path, tally] of window) tallyOf(sums, path).addAll(tally);
  }
}

function tallyOf(tallies: Map<string, Tally>, path: string): Tally {
  const tally = tallies.get(path) ?? new Tally();
  tallies.set(path, tally);
  return tally;
}
