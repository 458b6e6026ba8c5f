/** The effective configuration of a topic on this engine. */
import { InvalidArgumentError } from "@logstore/codec";
import { checkDurability, type Durability, type TopicConfig } from "@logstore/core/engine";
import type { LogConfig } from "../partition/log-options.js";

const MIB = 1024 * 1024;
const DEFAULT_MAX_BATCH_BYTES = 16 * MIB;
/** Kept for a copy of the topic on an engine of files. Here the unit of retention is a message. */
const DEFAULT_SEGMENT_BYTES = 64 * MIB;

/** What limits the configuration of topics. */
export interface ConfigLimits {
  /** Weakest first. */
  readonly durabilities: readonly Durability[];
  readonly maxBatchBytes: number;
}

/**
 * A batch must fit into a message of NATS: a higher limit is lowered to that.
 *
 * @throws InvalidArgumentError
 */
export function effectiveConfig(config: TopicConfig, { durabilities, maxBatchBytes }: ConfigLimits): LogConfig {
  if (config.durability !== undefined) checkDurability(config.durability, durabilities);
  for (const [name, value] of Object.entries(config)) {
    if (name === "durability" || (Number.isSafeInteger(value) && (value as number) >= 0)) continue;
    throw new InvalidArgumentError(`${name} is a whole number, not ${value}`);
  }
  return {
    segmentBytes: DEFAULT_SEGMENT_BYTES,
    ...config,
    durability: config.durability ?? durabilities[0]!,
    maxBatchBytes: Math.min(config.maxBatchBytes ?? DEFAULT_MAX_BATCH_BYTES, maxBatchBytes),
  };
}
