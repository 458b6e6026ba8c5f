/**
 * Whether a change of a topic's configuration deletes records: whoever makes it needs to be allowed
 * to.
 */
import type { TopicConfig, TopicConfigChange } from "@logstore/protocol";

const limits = ["retentionMs", "retentionBytes"] as const;

export function namesRetention(change: TopicConfigChange): boolean {
  return limits.some((name) => change[name] !== undefined);
}

/**
 * Whether less may be kept than now. What goes back to the server's own configuration counts as
 * that, since nobody here knows it.
 *
 * @param config the topic's own
 * @param effectiveConfig what is in force
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
