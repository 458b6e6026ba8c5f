import {
  abortSignal,
  checkOptions,
  func,
  InvalidArgumentError,
  limit,
  listOf,
  nonEmptyString,
  type OptionRule,
  type OptionRules,
  wholeNumber,
} from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import { type PositionInput, positionRule, toPosition } from "../common/position.js";
import { serializerRule, valueRules } from "../common/value-format.js";
import type { RecordFormatOptions } from "./consumer-record.js";
import type { SkippedRecords } from "./partition-state.js";

/**
 * One position for all partitions, or a position for each; partitions that are not named start at
 * "earliest".
 */
export type StartPositions =
  | PositionInput
  | { readonly [topic: string]: { readonly [partition: number]: PositionInput } };

/** Partitions by topic, such as `{ orders: [0, 1] }`. */
export interface Assignment {
  readonly [topic: string]: readonly number[];
}

/**
 * The partitions of a reader: given ones, or all partitions that the topics have when the reader
 * begins.
 */
export type ReaderPartitions =
  | { readonly assign: Assignment; readonly topics?: undefined }
  | { readonly topics: readonly string[]; readonly assign?: undefined };

/** Options of `client.reader()`: the partitions, and how they are read. */
export type ReaderOptions<T = Uint8Array, K = Uint8Array> = ReaderPartitions & ReadingOptions<T, K>;

/** How a reader reads its partitions. */
export interface ReadingOptions<T = Uint8Array, K = Uint8Array> extends RecordFormatOptions<T, K> {
  /** Where reading starts. Default "earliest". */
  readonly from?: StartPositions | undefined;
  /**
   * The iteration ends before this position, which is resolved when it begins: "latest" is the end
   * of each partition at that time. Default: the iteration never ends and waits for new records.
   */
  readonly until?: PositionInput | undefined;
  /**
   * Bytes of messages that may be held before the application takes their records, those of all
   * partitions together; a partition may always hold one message. Default 64 MiB.
   */
  readonly maxReadAheadBytes?: number | undefined;
  /**
   * Called when records were skipped because the log does not have them any more: they were
   * deleted, by retention or `deleteRecords`, or lost to damage and removed by a repair. If it
   * throws, the iteration ends with that error.
   */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
  /** Ends the iteration when it aborts: the iteration throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where reading a partition starts. @throws InvalidArgumentError */
export function startOf(from: StartPositions, topic: string, partition: number): Position {
  if (isOnePosition(from)) return toPosition("reader", "from", from);
  return toPosition("reader", `from.${topic}[${partition}]`, from[topic]?.[partition] ?? "earliest");
}

function isOnePosition(from: StartPositions): from is PositionInput {
  return typeof from !== "object" || typeof from.time === "number" || from.time instanceof Date;
}

const topicRule: OptionRule = (value, name) =>
  nonEmptyString(value, name) ??
  (String(value).includes("*") ? "the name of a topic: patterns are for groups" : undefined);

const partitionRule = wholeNumber({ max: 2 ** 32 - 1 });

const assignRule: OptionRule = (value, name) => {
  const expected = "partitions by topic, such as { orders: [0, 1] }";
  if (typeof value !== "object" || value === null || Array.isArray(value)) return expected;
  const lists: unknown[] = Object.values(value);
  const isGood = (list: unknown) =>
    Array.isArray(list) && list.length > 0 && list.every((one) => partitionRule(one, name) === undefined);
  return lists.length > 0 && lists.every(isGood) ? undefined : expected;
};

const fromRule: OptionRule = (value, name) => {
  const expected = positionRule(value, name);
  if (expected === undefined || typeof value !== "object" || value === null) return expected;
  // A position with an invalid time, or positions by topic and partition.
  const positions = Object.values(value).flatMap((byPartition: unknown) =>
    typeof byPartition === "object" && byPartition !== null && !(byPartition instanceof Date)
      ? Object.values(byPartition)
      : [Number.NaN],
  );
  const areGood = positions.every((one) => one === undefined || positionRule(one, name) === undefined);
  return areGood ? undefined : `${expected}, or such a position by topic and partition`;
};

const rules: OptionRules<ReadingOptions<unknown, unknown> & { assign?: unknown; topics?: unknown }> = {
  ...valueRules,
  key: serializerRule,
  assign: assignRule,
  topics: listOf(topicRule),
  from: fromRule,
  until: positionRule,
  maxReadAheadBytes: limit(),
  onSkipped: func,
  signal: abortSignal,
};

/** @throws InvalidArgumentError */
export function checkReaderOptions<T, K>(options: ReaderOptions<T, K>): void {
  const { assign, topics, group } = Object(options);
  if (group !== undefined) {
    throw new InvalidArgumentError("reader: a reader belongs to no group: use client.consumer({ group, topics })");
  }
  checkOptions("reader", options as ReaderOptions<unknown, unknown>, rules);
  if ((assign === undefined) === (topics === undefined)) {
    throw new InvalidArgumentError(
      "reader: give either assign (partitions by topic) or topics (all of their partitions)",
    );
  }
}
