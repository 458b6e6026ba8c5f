/**
 * Validation of the options of stores and brokers: unknown names, wrong types, numbers out of
 * range.
 */
import {
  abortSignal,
  boolean,
  checkArgument,
  checkOptions,
  func,
  InvalidArgumentError,
  MIN_BATCH_LENGTH,
  nested,
  nonEmptyString,
  type OptionRule,
  type OptionRules,
  objectWith,
  oneOf,
  required,
  shown,
  wholeNumber,
} from "@logstore/codec";
import type { Position } from "@logstore/protocol";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { msOf } from "../engine/read/position.js";
import type { LogStoreHooks } from "../hooks/hooks.js";
import type { AppendRecordOptions, PositionInput, ReadOptions, TailOptions } from "./call-options.js";
import { type AlterableOptions, type LogStoreOptions, MAX_SEGMENT_BYTES, type ReadOnlyOptions } from "./options.js";

const hooks: OptionRules<LogStoreHooks> = {
  committed: func,
  read: func,
  rolled: func,
  deleted: func,
  failed: func,
  damaged: func,
  warned: func,
};

const storage = objectWith("openFile", "createFile", "list", "lock");

export const durabilityRule = oneOf("flushed", "written");

export const commonRules: OptionRules<Omit<LogStoreOptions, "partitions" | "partitioner">> = {
  durability: durabilityRule,
  segmentBytes: wholeNumber({ min: MIN_BATCH_LENGTH, max: MAX_SEGMENT_BYTES }),
  maxBatchBytes: wholeNumber({ min: MIN_BATCH_LENGTH, max: STORED_BATCH_LIMITS.maxBatchBytes }),
  compression: nonEmptyString, // the codec knows the registered ones
  maxQueuedBytes: wholeNumber({ min: 1 }),
  retentionMs: wholeNumber(),
  retentionBytes: wholeNumber(),
  tailCacheBytes: wholeNumber(),
  maxOpenFiles: wholeNumber({ min: 1 }),
  hooks: nested(hooks),
  storage,
};

const storeRules: OptionRules<LogStoreOptions> = {
  ...commonRules,
  partitions: wholeNumber({ min: 1, max: 1_000_000 }),
  partitioner: objectWith("partition"),
};

const readOnlyRules: OptionRules<ReadOnlyOptions> = {
  storage,
  maxOpenFiles: commonRules.maxOpenFiles,
  hooks: commonRules.hooks,
};

export function checkStoreOptions(options: LogStoreOptions): void {
  checkOptions("LogStore.open", options, storeRules);
}

export function checkReadOnlyOptions(options: ReadOnlyOptions): void {
  checkOptions("LogStore.openReadOnly", options, readOnlyRules);
}

const edge = oneOf("earliest", "latest");
const offset = wholeNumber();

const position: OptionRule = (value, name) => {
  // An invalid number is out of range, like an offset above the high watermark: the iteration
  // reports it.
  if (typeof value === "number" || edge(value, name) === undefined) return undefined;
  const isTime =
    typeof value === "object" && value !== null && Number.isSafeInteger(msOf((value as { time: number | Date }).time));
  return isTime
    ? undefined
    : 'an offset, "earliest", "latest" or { time: a Date or a whole number of ms since the epoch }';
};

const readRules: OptionRules<ReadOptions> = { from: position, onSkipped: func };
const tailRules: OptionRules<TailOptions> = { from: position, onSkipped: func, signal: abortSignal };

export function checkReadOptions(options: ReadOptions): void {
  checkOptions("read", options, readRules);
}

export function checkTailOptions(options: TailOptions): void {
  checkOptions("tail", options, tailRules);
}

/** Converts a time to ms. */
export function toPosition(input: PositionInput): Position {
  return typeof input === "object" ? { time: msOf(input.time) } : input;
}

const appendRules: OptionRules<AppendRecordOptions> = {
  durability: durabilityRule,
  expectedOffset: offset,
  partition: offset,
  timestamp: (value) =>
    Number.isSafeInteger(msOf(value as number | Date)) ? undefined : "a Date or a whole number of ms since the epoch",
  headers: (value) =>
    typeof (value as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] === "function" ? undefined : "a list",
};
const appendNames = new Set(Object.keys(appendRules));
const appendManyNames = new Set(["durability", "expectedOffset"]);

/**
 * Checks only the names, for speed: the values are checked where they are used.
 *
 * @param isOne whether these are options of `append`, not of `appendMany`
 * @throws InvalidArgumentError
 */
export function checkAppendOptions(options: object, isOne: boolean): void {
  const names = isOne ? appendNames : appendManyNames;
  if (typeof options !== "object" || options === null) {
    throw new InvalidArgumentError(`append: options must be an object, not ${shown(options)}`);
  }
  for (const name in options) {
    if (names.has(name)) continue;
    if (isOne) checkOptions("append", options, appendRules);
    else checkOptions("appendMany", options, { durability: durabilityRule, expectedOffset: offset });
  }
}

const { durability, segmentBytes, maxBatchBytes, compression, maxQueuedBytes, retentionMs, retentionBytes } =
  commonRules;
const alterRules: OptionRules<AlterableOptions> = {
  durability,
  segmentBytes,
  maxBatchBytes,
  compression,
  maxQueuedBytes,
  retentionMs,
  retentionBytes,
};

export function checkAlteredOptions(changes: AlterableOptions): void {
  checkOptions("alter", changes, alterRules);
}

export function checkSliceBytes(maxBytes: number): void {
  checkArgument("slice", "maxBytes", maxBytes, required(wholeNumber({ min: 1 })));
}

export function checkRepairOptions(options: { readonly dryRun?: boolean | undefined }): void {
  checkOptions("repair", options, { dryRun: boolean });
}

export function checkSnapshotOptions(options: { readonly signal?: AbortSignal | undefined }): void {
  checkOptions("snapshot", options, { signal: abortSignal });
}
