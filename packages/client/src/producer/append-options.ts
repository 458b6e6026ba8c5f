import { type Bytes, checkOptions, type OptionRules, wholeNumber } from "@logstore/codec";
import { type ValueOptions, valueRules } from "../common/value-format.js";
import { type DeliveryOptions, deliveryRules } from "./delivery-options.js";

/** Options of `client.append()`. */
export interface AppendOptions<Input = Bytes> extends ValueOptions<unknown, Input>, DeliveryOptions {
  /**
   * The log end offset that the partition must have: otherwise, because of another append, this one
   * fails with a WrongExpectedOffsetError. Default: not checked.
   */
  readonly expectedOffset?: number | undefined;
}

const rules: OptionRules<AppendOptions<unknown>> = {
  ...valueRules,
  ...deliveryRules,
  expectedOffset: wholeNumber(),
};

/** @throws InvalidArgumentError */
export function checkAppendOptions<Input>(options: AppendOptions<Input>): void {
  checkOptions<AppendOptions<unknown>>("append", options as AppendOptions<unknown>, rules);
}
