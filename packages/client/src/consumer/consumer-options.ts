import {
  abortSignal,
  checkOptions,
  func,
  type OptionRule,
  type OptionRules,
  required,
  wholeNumber,
} from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import { type PositionInput, positionRule, toPosition } from "../position.js";
import { serializerRule, valueRules } from "../value-format.js";
import type { RecordFormatOptions } from "./consumer-record.js";
import type { SkippedRecords } from "./partition-state.js";

/**
 * One position for all, or each its own; partitions that are not named start at the earliest
 * record.
 */
export type StartPositions =
  | PositionInput
  | { readonly [topic: string]: { readonly [partition: number]: PositionInput } };

export interface ConsumerOptions<T = Uint8Array, K = Uint8Array> extends RecordFormatOptions<T, K> {
  /** Partitions to read, by topic. */
  readonly assign: { readonly [topic: string]: readonly number[] };
  /** Where to start. Default "earliest". */
  readonly from?: StartPositions | undefined;
  /**
   * The iteration is done when every partition got here, as it stood at the start. Default: never,
   * new records are awaited.
   */
  readonly until?: PositionInput | undefined;
  /**
   * Called when records were skipped, since they are not in the log any more: retention or somebody
   * deleted them, or they were lost to damage and a repair cut them out. What it throws ends the
   * iteration.
   */
  readonly onSkipped?: ((skipped: SkippedRecords) => void) | undefined;
  /** Ends the iteration by throwing the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Where reading a partition starts. @throws InvalidArgumentError */
export function startOf(from: StartPositions, topic: string, partition: number): Position {
  if (isOnePosition(from)) return toPosition("consumer", "from", from);
  return toPosition("consumer", `from.${topic}[${partition}]`, from[topic]?.[partition] ?? "earliest");
}

function isOnePosition(from: StartPositions): from is PositionInput {
  return typeof from !== "object" || typeof from.time === "number" || from.time instanceof Date;
}

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
  // Either one position with a time that is none, or a position for each partition of each topic.
  const positions = Object.values(value).flatMap((byPartition: unknown) =>
    typeof byPartition === "object" && byPartition !== null && !(byPartition instanceof Date)
      ? Object.values(byPartition)
      : [Number.NaN],
  );
  const areGood = positions.every((one) => one === undefined || positionRule(one, name) === undefined);
  return areGood ? undefined : `${expected}, or such a position by topic and partition`;
};

const rules: OptionRules<ConsumerOptions<unknown, unknown>> = {
  ...valueRules,
  key: serializerRule,
  assign: required(assignRule),
  from: fromRule,
  until: positionRule,
  onSkipped: func,
  signal: abortSignal,
};

/** @throws InvalidArgumentError */
export function checkConsumerOptions<T, K>(options: ConsumerOptions<T, K>): void {
  checkOptions<ConsumerOptions<unknown, unknown>>("consumer", options as ConsumerOptions<unknown, unknown>, rules);
}
