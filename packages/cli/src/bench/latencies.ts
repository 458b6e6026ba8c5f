/** Latencies in one of Node's histograms, in microseconds. */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** ms. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ figures: 3 });

  add(ms: number): void {
    this.#histogram.record(Math.max(1, Math.round(ms * 1000)));
  }

  /** Undefined if nothing was measured. */
  get percentiles(): Percentiles | undefined {
    if (this.#histogram.count === 0) return undefined;
    const ms = (percent: number) => this.#histogram.percentile(percent) / 1000;
    return { p50: ms(50), p95: ms(95), p99: ms(99), p999: ms(99.9), max: this.#histogram.max / 1000 };
  }
}
