/** Settings of a benchmark run. */
import type { ServerPool } from "./processes/server-pool.ts";

export interface Settings {
  /** A temporary directory on the disk that is measured. */
  readonly directory: string;
  /** The servers that workloads share. */
  readonly servers: ServerPool;
  /** Rounds that count: every contestant runs once in each. */
  readonly rounds: number;
  /** How long one throughput run lasts at least, if it does not reach `records` before. */
  readonly runMs: number;
  /** Most records of a throughput run. */
  readonly records: number;
  /** Duration of one latency run. */
  readonly latencyMs: number;
  /** Length of the large store's log. */
  readonly storeBytes: number;
  /** Number of partitions of the store of many partitions. */
  readonly partitions: number;
  /** Duration of the endurance run. */
  readonly enduranceMinutes: number;
  /** Other systems that take part, by a part of their name. Empty: all. */
  readonly beside: readonly string[];
  /** Another built checkout: LogStore of both is compared, and nothing else runs. */
  readonly otherCheckout?: string | undefined;
  /** Only what the ratios of the goals need. */
  readonly isQuick: boolean;
}

/** A contestant warms up for as long as that many runs last. */
export const WARM_UP_RUNS = 2;

const MINUTES_OF_ENDURANCE = 30;

export const FULL = {
  rounds: 5,
  runMs: 1_000,
  records: 2_000_000,
  latencyMs: 1_500,
  storeBytes: 10e9,
  partitions: 10_000,
  enduranceMinutes: MINUTES_OF_ENDURANCE,
  beside: [] as readonly string[],
  isQuick: false,
} satisfies Omit<Settings, "directory" | "servers">;

export const QUICK = {
  ...FULL,
  rounds: 3,
  runMs: 300,
  records: 600_000,
  latencyMs: 300,
  storeBytes: 500e6,
  isQuick: true,
} satisfies Omit<Settings, "directory" | "servers">;
