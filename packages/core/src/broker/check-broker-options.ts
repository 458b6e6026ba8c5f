import { boolean, checkOptions, type OptionRules, objectWith, wholeNumber } from "@logstore/codec";
import { commonRules } from "../store/check-options.js";
import type { BrokerOptions } from "./broker.js";

const rules: OptionRules<BrokerOptions> = {
  ...commonRules,
  // Their members are checked where they are used.
  groupLimits: objectWith(),
  groupLimitsPerPrincipal: objectWith(),
  topicLimits: objectWith(),
  offsetsRetentionMs: wholeNumber(),
  waitForTopics: boolean,
};

/** @throws InvalidArgumentError that names the first option that is wrong */
export function checkBrokerOptions(options: BrokerOptions): void {
  checkOptions("Broker.open", options, rules);
}
