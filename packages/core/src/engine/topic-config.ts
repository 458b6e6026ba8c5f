/** A topic's configuration: options of its logs that are stored with it, and can be altered. */
import { InvalidArgumentError } from "@logstore/codec";
import type { TopicConfig, TopicConfigChange } from "@logstore/protocol";

export const TOPIC_CONFIG_NAMES = [
  "durability",
  "segmentBytes",
  "maxBatchBytes",
  "retentionMs",
  "retentionBytes",
] as const;

/**
 * The configuration after a change: an option that is left out keeps its value, null resets it to
 * the engine's default. The values are not checked.
 *
 * @throws InvalidArgumentError if there is no such option
 */
export function changedConfig(config: TopicConfig, change: TopicConfigChange): TopicConfig {
  const changed: Record<string, unknown> = { ...config };
  for (const [name, value] of Object.entries(change)) {
    if (!TOPIC_CONFIG_NAMES.some((known) => known === name)) {
      throw new InvalidArgumentError(`a topic has no ${JSON.stringify(name)}: it has ${TOPIC_CONFIG_NAMES.join(", ")}`);
    }
    if (value === null) delete changed[name];
    else if (value !== undefined) changed[name] = value;
  }
  return changed;
}
