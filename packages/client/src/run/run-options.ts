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

/** How a record that fails is retried. */
export interface RetryOptions {
  /** Number of attempts, the first one included; Infinity: no limit. Default 5. */
  readonly attempts?: number | undefined;
  /** Pause before the second attempt, ms; it doubles with each further one. Default 100. */
  readonly initialBackoffMs?: number | undefined;
  /** The longest pause, ms. Default 30,000. */
  readonly maxBackoffMs?: number | undefined;
}

/** The second argument of a handler. */
export interface RecordContext {
  /** Number of this attempt, from 1 on. */
  readonly attempt: number;
  /**
   * Aborts when the run ends, and when the outcome does not count any more because the partition
   * was lost or its offset was set. A handler that succeeds after the end of a run still has its
   * record committed; the record of a handler that fails is left to another member.
   */
  readonly signal: AbortSignal;
}

/** Options of `consumer.run()`. */
export interface RunOptions<T, K> {
  /**
   * Called for each record. The record is processed when it returns or its promise resolves, and
   * retried when it throws.
   */
  readonly eachRecord: (record: ConsumerRecord<T, K>, context: RecordContext) => void | Promise<void>;
  /**
   * Largest number of handlers that run at the same time, each for another key or for a record
   * without one. Default 16.
   */
  readonly concurrency?: number | undefined;
  /** Largest number of records in memory, waiting or being processed. Default 1,000. */
  readonly maxInFlightRecords?: number | undefined;
  /**
   * Largest size of their keys and values, bytes; a single record may exceed it. Default 16 MiB.
   */
  readonly maxInFlightBytes?: number | undefined;
  readonly retry?: RetryOptions | undefined;
  /**
   * Whether a record that fails every attempt is parked in the topic `<topic>.<group>.parked`. If
   * not, the run fails with the handler's last error. Default true.
   */
  readonly park?: boolean | undefined;
  /** Ends the run when it aborts, after the running handlers are done. */
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

/** Pause after attempt `attempt` failed, ms: exponential, of which up to half is random. */
export function tryAgainMs({ initialBackoffMs, maxBackoffMs }: RunLimits, attempt: number, random: number): number {
  return Math.min(maxBackoffMs, initialBackoffMs * 2 ** (attempt - 1)) * (1 - random / 2);
}
