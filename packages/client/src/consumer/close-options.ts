import { boolean, checkOptions, durationMs, type OptionRules } from "@logstore/codec";
import type { CloseOptions } from "../common/registry.js";

/** Options of `consumer.close()`. */
export interface ConsumerCloseOptions extends CloseOptions {
  /** Whether a static member leaves the group, so that others get its partitions. Default false. */
  readonly leave?: boolean | undefined;
}

const rules: OptionRules<ConsumerCloseOptions> = { leave: boolean, timeoutMs: durationMs() };

/** @throws InvalidArgumentError */
export function checkConsumerCloseOptions(options: ConsumerCloseOptions): void {
  checkOptions<ConsumerCloseOptions>("close", options, rules);
}
