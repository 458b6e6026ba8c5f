/** Options of the administrative calls, and the rules that check them. */
import {
  checkOptions,
  either,
  listOf,
  nonEmptyString,
  type OptionRule,
  type OptionRules,
  objectWith,
  oneOf,
  required,
  wholeNumber,
} from "@logstore/codec";
import type { ResetOffsetsRequest, TopicConfig, TopicConfigChange, TopicOptions } from "@logstore/protocol";
import { type PositionInput, positionRule } from "./common/position.js";

/** Options of `createTopic()`: the partitions and configuration of a new topic. */
export interface CreateTopicOptions extends TopicConfig {
  /** Number of partitions, 1 to 2^32 - 1. It cannot be changed later. */
  readonly partitions: number;
}

/**
 * Options of `ensureTopic()`: properties that the topic must have. An option that is left out may
 * have any value.
 */
export interface EnsureTopicOptions extends TopicConfig {
  /** Number of partitions. Default: any number in an existing topic; 1 in a new one. */
  readonly partitions?: number | undefined;
}

/** Options of `resetOffsets()`. */
export interface ResetOffsets extends Omit<ResetOffsetsRequest, "group" | "to"> {
  /**
   * The new offsets. An offset outside a partition's bounds is replaced by the nearest valid one.
   * `shiftBy` moves each committed offset by this number of records, back if it is negative.
   */
  readonly to: PositionInput | { readonly shiftBy: number };
}

const topicConfigRules: OptionRules<TopicConfig> = {
  durability: oneOf("written", "replicated", "flushed"),
  segmentBytes: wholeNumber(),
  maxBatchBytes: wholeNumber(),
  retentionMs: wholeNumber(),
  retentionBytes: wholeNumber(),
};

const partitionsRule = wholeNumber({ min: 1, max: 2 ** 32 - 1 });

export const createTopicRules: OptionRules<CreateTopicOptions> = {
  ...topicConfigRules,
  partitions: required(partitionsRule),
};

export const ensureTopicRules: OptionRules<EnsureTopicOptions> = { ...topicConfigRules, partitions: partitionsRule };

const orNull = (rule: OptionRule): OptionRule => either(rule, oneOf(null));

export const topicConfigChangeRules: OptionRules<TopicConfigChange> = {
  durability: orNull(topicConfigRules.durability),
  segmentBytes: orNull(topicConfigRules.segmentBytes),
  maxBatchBytes: orNull(topicConfigRules.maxBatchBytes),
  retentionMs: orNull(topicConfigRules.retentionMs),
  retentionBytes: orNull(topicConfigRules.retentionBytes),
};

const shiftRule: OptionRule = (value) => {
  return Number.isSafeInteger(Object(value).shiftBy) ? undefined : "{ shiftBy: a whole number of records }";
};

export const resetRules: OptionRules<ResetOffsets> = {
  partitions: listOf(objectWith(), { min: 0 }),
  to: required(either(positionRule, shiftRule)),
};

const topicRules: OptionRules<TopicOptions> = { topicId: nonEmptyString };

/** @throws InvalidArgumentError */
export function checkTopicOptions(owner: string, options: TopicOptions | undefined): void {
  if (options !== undefined) checkOptions<TopicOptions>(owner, options, topicRules);
}
