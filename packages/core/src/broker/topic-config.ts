/**
 * What may be said of a topic: options of its log store that outlive the broker, and may be altered
 * while it is open.
 */
import { InvalidArgumentError } from "@logstore/codec";
import type { TopicConfig, TopicConfigChange } from "@logstore/protocol";
import { type LogStoreOptions, resolveOptions } from "../store/options.js";

const NAMES = ["durability", "segmentBytes", "maxBatchBytes", "retentionMs", "retentionBytes"] as const;

/**
 * The configuration after a change.
 *
 * @param minSegmentBytes least that `segmentBytes` may be changed to
 * @throws InvalidArgumentError where a name or a value is none
 */
export function changedConfig(config: TopicConfig, change: TopicConfigChange, minSegmentBytes = 0): TopicConfig {
  const changed: Record<string, unknown> = { ...config };
  for (const [name, value] of Object.entries(change)) {
    if (!NAMES.some((known) => known === name)) {
      throw new InvalidArgumentError(`a topic has no ${JSON.stringify(name)}: it has ${NAMES.join(", ")}`);
    }
    if (value === null) delete changed[name];
    else if (value !== undefined) changed[name] = value;
  }
  resolveOptions(changed);
  if (typeof change.segmentBytes === "number" && change.segmentBytes < minSegmentBytes) {
    const actual = change.segmentBytes;
    throw new InvalidArgumentError(`segmentBytes of a topic is ${minSegmentBytes} at least here, not ${actual}`, {
      expected: minSegmentBytes,
      actual,
    });
  }
  return changed;
}

/** The options of a topic's log store: its own, else the broker's. */
export function topicOptions(config: TopicConfig, byDefault: LogStoreOptions): LogStoreOptions {
  const options: LogStoreOptions = { ...byDefault, ...config };
  return options;
}

/** What is in force: the topic's own, the broker's, and the defaults. */
export function effectiveConfig(config: TopicConfig, byDefault: LogStoreOptions): TopicConfig {
  const { durability, segmentBytes, limits, retentionMs, retentionBytes } = resolveOptions(
    topicOptions(config, byDefault),
  );
  return {
    durability,
    segmentBytes,
    maxBatchBytes: limits.maxBatchBytes,
    ...(retentionMs !== undefined && { retentionMs }),
    ...(retentionBytes !== undefined && { retentionBytes }),
  };
}

/**
 * Everything that can be altered, said anew: what the topic no longer names is the broker's again.
 */
export function alteredOptions(config: TopicConfig, byDefault: LogStoreOptions): TopicConfig {
  return Object.fromEntries(NAMES.map((name) => [name, config[name] ?? byDefault[name]]));
}
