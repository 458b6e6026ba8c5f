import {
  type CompressionName,
  compressionNames,
  durationMs,
  type OptionRule,
  type OptionRules,
  oneOf,
} from "@logstore/codec";
import type { Durability } from "@logstore/protocol";

/** How records are delivered: what producers and appends have in common. */
export interface DeliveryOptions {
  /**
   * What an acknowledgement promises: "flushed" that the records survive a power failure,
   * "replicated" that they survive the loss of a machine, "written" that they survive the end of
   * the server's process. A topic offers the ones that are in its description; any other is
   * refused. Default: the topic's own.
   */
  readonly durability?: Durability | undefined;
  /** How batches are compressed: "none", "gzip", "zstd" or a registered name. Default "none". */
  readonly compression?: CompressionName | undefined;
  /**
   * Time from the call after which records without an acknowledgement are given up, ms; Infinity
   * for never. Default 120,000.
   */
  readonly deliveryTimeoutMs?: number | undefined;
}

export const DEFAULT_DELIVERY_TIMEOUT_MS = 120_000;

const compressionRule: OptionRule = (value) => {
  const names = compressionNames();
  if (names.includes(value as CompressionName)) return undefined;
  return `${names.map((name) => JSON.stringify(name)).join(", ")}, or a name given to registerCompression`;
};

export const deliveryRules: OptionRules<DeliveryOptions> = {
  durability: oneOf("written", "replicated", "flushed"),
  compression: compressionRule,
  deliveryTimeoutMs: durationMs({ min: 1 }),
};
