/** Options of the calls about topics and groups, and the rules that they are checked by. */
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

/** A new topic: its partitions and its configuration. */
export interface CreateTopicOptions extends TopicConfig {
  /** Number of partitions. It cannot be changed later. */
  readonly partitions: number;
}

/** A topic that is to be there: what is left out may be anything. */
export interface EnsureTopicOptions extends TopicConfig {
  /** Number of partitions. Default: as many as the topic has; 1 where it is created. */
  readonly partitions?: number | undefined;
}

/** Which committed offsets are set, and where to. */
export interface ResetOffsets extends Omit<ResetOffsetsRequest, "group" | "to"> {
  /**
   * The position to go on at. An offset beyond a partition's bounds becomes the nearest one within.
   * `shiftBy` moves each committed offset by so many records, back where it is negative.
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
