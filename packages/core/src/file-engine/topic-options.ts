/**
 * The options of a topic's log store: its own configuration, completed with the broker's options.
 */
import type { TopicConfig } from "@logstore/protocol";
import { TOPIC_CONFIG_NAMES } from "../engine/topic-config.js";
import { type LogStoreOptions, resolveOptions } from "../store/options.js";

export function topicOptions(config: TopicConfig, byDefault: LogStoreOptions): LogStoreOptions {
  return { ...byDefault, ...config };
}

/**
 * The configuration in effect: the topic's own, completed with the broker's options and the
 * defaults.
 *
 * @throws InvalidArgumentError
 */
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
 * All options that can be altered: one that the topic's configuration leaves out has the broker's
 * value again.
 */
export function alteredOptions(config: TopicConfig, byDefault: LogStoreOptions): TopicConfig {
  return Object.fromEntries(TOPIC_CONFIG_NAMES.map((name) => [name, config[name] ?? byDefault[name]]));
}
