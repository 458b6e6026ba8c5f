import {
  type CompressionName,
  compressionNames,
  durationMs,
  type OptionRule,
  type OptionRules,
  oneOf,
} from "@logstore/codec";
import type { Durability } from "@logstore/protocol";

/** Options that producers and appends have in common. */
export interface DeliveryOptions {
  /**
   * When records are acknowledged: "flushed" when they survive a power failure, "replicated" when
   * they survive the loss of a machine, "written" when they survive a crash of the server's
   * process. A topic's description lists the durabilities that it offers; any other is refused.
   * Default: the topic's own.
   */
  readonly durability?: Durability | undefined;
  /** Compression of batches: "none", "gzip", "zstd" or a registered name. Default "none". */
  readonly compression?: CompressionName | undefined;
  /**
   * Time from the call until records that are not acknowledged are given up, ms; Infinity: never.
   * Default 120,000.
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
