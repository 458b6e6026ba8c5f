/** Options of a broker. */
import { boolean, checkOptions, type OptionRules, objectWith, wholeNumber } from "@logstore/codec";
import type { GroupLimitOptions } from "../group/state/group-totals.js";
import { commonRules } from "../store/check-options.js";
import type { LogStoreOptions } from "../store/options.js";
import type { TopicLimitOptions } from "./topics/topic-limits.js";

/** Options of a broker on any engine. */
export interface EngineBrokerOptions extends GroupLimitOptions, TopicLimitOptions {
  /**
   * A consumer group without members is forgotten after so long, ms, with all that it committed.
   * Default 7 days.
   */
  readonly offsetsRetentionMs?: number | undefined;
  /**
   * Whether opening waits until every topic is open. Default true. With false it resolves as soon
   * as the topics are known, and they are opened meanwhile: until it is open, a topic answers with
   * an UnavailableError, and so does all that needs every topic, such as groups. See
   * {@link Broker.opened}.
   */
  readonly waitForTopics?: boolean | undefined;
}

/**
 * Options that hold for every topic, see {@link LogStoreOptions}, for all of them together and for
 * groups.
 */
export interface BrokerOptions extends Omit<LogStoreOptions, "partitions" | "partitioner">, EngineBrokerOptions {}

const engineRules: OptionRules<EngineBrokerOptions> = {
  // Their members are checked where they are used.
  groupLimits: objectWith(),
  groupLimitsPerPrincipal: objectWith(),
  topicLimits: objectWith(),
  offsetsRetentionMs: wholeNumber(),
  waitForTopics: boolean,
};

const rules: OptionRules<BrokerOptions> = { ...commonRules, ...engineRules };

/** @throws InvalidArgumentError that names the first option that is wrong */
export function checkBrokerOptions(options: BrokerOptions): void {
  checkOptions("Broker.open", options, rules);
}

/** @throws InvalidArgumentError that names the first option that is wrong */
export function checkEngineBrokerOptions(options: EngineBrokerOptions): void {
  checkOptions("Broker.openOn", options, engineRules);
}
