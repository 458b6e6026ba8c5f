/** Options of a broker. */
import { boolean, checkOptions, type OptionRules, objectWith, wholeNumber } from "@logstore/codec";
import type { GroupLimitOptions } from "../group/state/group-totals.js";
import { commonRules } from "../store/check-options.js";
import type { LogStoreOptions } from "../store/options.js";
import type { TopicLimitOptions } from "./topics/topic-limits.js";

/** Options of a broker on any engine. */
export interface EngineBrokerOptions extends GroupLimitOptions, TopicLimitOptions {
  /**
   * Time after which a consumer group without members is deleted, with its committed offsets, in
   * ms. Default 7 days.
   */
  readonly offsetsRetentionMs?: number | undefined;
  /**
   * Whether `open` waits until every topic is open. Default true. With false, it resolves as soon
   * as the topics are known. Until a topic is open, calls for it fail with an UnavailableError; so
   * do calls that need all topics, such as those for groups. See {@link Broker.opened}.
   */
  readonly waitForTopics?: boolean | undefined;
}

/** Defaults for each topic (see {@link LogStoreOptions}), and options of the broker as a whole. */
export interface BrokerOptions extends Omit<LogStoreOptions, "partitions" | "partitioner">, EngineBrokerOptions {}

const engineRules: OptionRules<EngineBrokerOptions> = {
  // The limits themselves are checked where they are used.
  groupLimits: objectWith(),
  groupLimitsPerPrincipal: objectWith(),
  topicLimits: objectWith(),
  offsetsRetentionMs: wholeNumber(),
  waitForTopics: boolean,
};

const rules: OptionRules<BrokerOptions> = { ...commonRules, ...engineRules };

/** @throws InvalidArgumentError, which names the first invalid option */
export function checkBrokerOptions(options: BrokerOptions): void {
  checkOptions("Broker.open", options, rules);
}

/** @throws InvalidArgumentError, which names the first invalid option */
export function checkEngineBrokerOptions(options: EngineBrokerOptions): void {
  checkOptions("Broker.openOn", options, engineRules);
}
