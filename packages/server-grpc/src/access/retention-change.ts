/**
 * Whether a change of a topic's configuration deletes records, which needs a permission of its own.
 */
import type { TopicConfig, TopicConfigChange } from "@logstore/protocol";

const limits = ["retentionMs", "retentionBytes"] as const;

export function namesRetention(change: TopicConfigChange): boolean {
  return limits.some((name) => change[name] !== undefined);
}

/**
 * Whether fewer records may be kept after the change. A reset to the server's default counts as
 * such a change, because the default is unknown here.
 *
 * @param config the topic's own configuration
 * @param effectiveConfig the configuration in effect
 */
export function mayDeleteRecords(
  change: TopicConfigChange,
  config: TopicConfig,
  effectiveConfig: TopicConfig,
): boolean {
  return limits.some((name) => {
    const to = change[name];
    if (to === undefined) return false;
    if (to === null) return config[name] !== undefined;
    return !(to >= (effectiveConfig[name] ?? Number.POSITIVE_INFINITY));
  });
}
