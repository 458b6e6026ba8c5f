import { type Bytes, checkOptions, durationMs, limit, type OptionRules, wholeNumber } from "@logstore/codec";
import { type ValueOptions, valueRules } from "../common/value-format.js";
import { type DeliveryOptions, deliveryRules } from "./delivery-options.js";

/** Options of `client.producer()`. */
export interface ProducerOptions<Input = Bytes> extends ValueOptions<unknown, Input>, DeliveryOptions {
  /**
   * Time that a record waits for others to share its batch while no batch is in flight, ms. Default
   * 0.
   */
  readonly lingerMs?: number | undefined;
  /** Size at which a batch is sent, bytes before compression. Default 256 KiB. */
  readonly batchBytes?: number | undefined;
  /** Largest size of records that are not acknowledged yet, bytes. Default 32 MiB. */
  readonly maxBufferedBytes?: number | undefined;
}

const rules: OptionRules<ProducerOptions<unknown>> = {
  ...valueRules,
  ...deliveryRules,
  lingerMs: durationMs(),
  batchBytes: wholeNumber({ min: 1 }),
  maxBufferedBytes: limit(),
};

/** @throws InvalidArgumentError */
export function checkProducerOptions<Input>(options: ProducerOptions<Input>): void {
  checkOptions<ProducerOptions<unknown>>("producer", options as ProducerOptions<unknown>, rules);
}
