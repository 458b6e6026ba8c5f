import {
  abortSignal,
  boolean,
  checkOptions,
  durationMs,
  func,
  limit,
  nested,
  type OptionRules,
  required,
  wholeNumber,
} from "@logstore/codec";
import type { ConsumerRecord } from "../reader/consumer-record.js";

/** How often a record that fails is tried, and how long the pauses are. */
export interface RetryOptions {
  /** How often a record is tried in all; Infinity for without end. Default 5. */
  readonly attempts?: number | undefined;
  /** ms before the second try; doubles with each. Default 100. */
  readonly initialBackoffMs?: number | undefined;
  /** ms at most. Default 30,000. */
  readonly maxBackoffMs?: number | undefined;
}

/** What a handler learns beside its record. */
export interface RecordContext {
  /** 1 for the first try. */
  readonly attempt: number;
  /**
   * Aborts when the run ends, and when the outcome does not count any more: the partition was lost,
   * or its offset was set. At the end of a run, a record whose handler still succeeds is committed;
   * one whose handler fails is left for another member.
   */
  readonly signal: AbortSignal;
}

/** Options of `consumer.run()`. */
export interface RunOptions<T, K> {
  /**
   * Processes a record: it is processed when this is done, and to be tried again when it throws.
   */
  readonly eachRecord: (record: ConsumerRecord<T, K>, context: RecordContext) => void | Promise<void>;
  /** Records that are worked on at the same time: of different keys, or without one. Default 16. */
  readonly concurrency?: number | undefined;
  /** Records that may be in memory, waiting or worked on. Default 1,000. */
  readonly maxInFlightRecords?: number | undefined;
  /** Bytes of keys and values of these; a single record may be larger. Default 16 MiB. */
  readonly maxInFlightBytes?: number | undefined;
  readonly retry?: RetryOptions | undefined;
  /**
   * Whether a record that keeps failing is put aside in `<topic>.<group>.parked`; if not, the run
   * fails. Default true.
   */
  readonly park?: boolean | undefined;
  /** Its abort ends the run when what is worked on is done. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunLimits {
  readonly concurrency: number;
  readonly maxInFlightRecords: number;
  readonly maxInFlightBytes: number;
  readonly attempts: number;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
}

const rules: OptionRules<RunOptions<unknown, unknown>> = {
  eachRecord: required(func),
  concurrency: wholeNumber({ min: 1 }),
  maxInFlightRecords: limit(),
  maxInFlightBytes: limit(),
  retry: nested<RetryOptions>({ attempts: limit(), initialBackoffMs: durationMs(), maxBackoffMs: durationMs() }),
  park: boolean,
  signal: abortSignal,
};

/** @throws InvalidArgumentError */
export function checkRunOptions<T, K>(options: RunOptions<T, K>): void {
  checkOptions<RunOptions<unknown, unknown>>("consumer.run", options as RunOptions<unknown, unknown>, rules);
}

export function runLimits<T, K>(options: RunOptions<T, K>): RunLimits {
  const { retry = {} } = options;
  return {
    concurrency: options.concurrency ?? 16,
    maxInFlightRecords: options.maxInFlightRecords ?? 1_000,
    maxInFlightBytes: options.maxInFlightBytes ?? 16 * 1024 * 1024,
    attempts: retry.attempts ?? 5,
    initialBackoffMs: retry.initialBackoffMs ?? 100,
    maxBackoffMs: retry.maxBackoffMs ?? 30_000,
  };
}

/** How long to wait after try `attempt` failed, ms; up to half of it is left to chance. */
export function tryAgainMs({ initialBackoffMs, maxBackoffMs }: RunLimits, attempt: number, random: number): number {
  return Math.min(maxBackoffMs, initialBackoffMs * 2 ** (attempt - 1)) * (1 - random / 2);
}
