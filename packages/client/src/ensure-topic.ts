import { TopicExistsError } from "@logstore/codec";
import type { LogApi, TopicConfig, TopicDescription } from "@logstore/protocol";
import type { EnsureTopicOptions } from "./admin-options.js";
import { hasCode } from "./common/retry.js";

/** Number of attempts: the topic may be deleted and created between two calls. */
const ATTEMPTS = 5;

/**
 * Creates a topic unless it exists, and resolves to its description.
 *
 * @throws TopicExistsError where it exists with another number of partitions or another
 * configuration than the options name
 */
export async function ensureTopic(api: LogApi, topic: string, options: EnsureTopicOptions): Promise<TopicDescription> {
  const { partitions, ...config } = options;
  for (let attempt = 1; ; attempt++) {
    const existing = await describedOrUndefined(api, topic);
    if (existing !== undefined) {
      checkIsAsAsked(existing, partitions, config);
      return existing;
    }
    try {
      return await api.createTopic({ topic, partitions: partitions ?? 1, config });
    } catch (error) {
      // Another client created it meanwhile, or an earlier attempt did whose response was lost.
      if (!hasCode(error, "TOPIC_EXISTS") || attempt === ATTEMPTS) throw error;
    }
  }
}

async function describedOrUndefined(api: LogApi, topic: string): Promise<TopicDescription | undefined> {
  try {
    return await api.describeTopic(topic);
  } catch (error) {
    if (hasCode(error, "UNKNOWN_TOPIC")) return undefined;
    throw error;
  }
}

function checkIsAsAsked(existing: TopicDescription, partitions: number | undefined, config: TopicConfig): void {
  const { topic, partitions: found, effectiveConfig } = existing;
  if (partitions !== undefined && partitions !== found.length) {
    throw new TopicExistsError(
      `topic ${topic} exists with ${found.length} partitions, not ${partitions}: their number cannot be changed; ` +
        "leave out partitions to take the topic as it is",
      { topic, expected: partitions, actual: found.length },
    );
  }
  const differences = Object.entries(config).flatMap(([name, wanted]) => {
    const present = effectiveConfig[name as keyof TopicConfig];
    return wanted === undefined || wanted === present ? [] : [`${name} ${present ?? "not set"} instead of ${wanted}`];
  });
  if (differences.length === 0) return;
  throw new TopicExistsError(
    `topic ${topic} exists with ${differences.join(", ")}: alterTopicConfig changes it; leave these options out to ` +
      "take the topic as it is",
    { topic },
  );
}
