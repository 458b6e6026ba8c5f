/** Opens the broker that the configuration describes. */
import { Broker, type LogStoreHooks } from "@logstore/core";
import type { JetStreamEvent } from "@logstore/engine-jetstream";
import type { ServerConfig } from "./config-schema.js";
import { openEngine } from "./open-engine.js";

/**
 * @param hooks called by the engine of files
 * @param onClusterEvent called by the engine jetstream
 */
export async function openBroker(
  config: ServerConfig,
  hooks: LogStoreHooks,
  onClusterEvent?: (event: JetStreamEvent) => void,
): Promise<Broker> {
  const { topics, groups, maxBatchBytes } = config;
  const { perPrincipal: groupLimitsPerPrincipal, ...groupLimits } = groups;
  const common = { topicLimits: topics, groupLimits, groupLimitsPerPrincipal, waitForTopics: false };
  if (config.engine === "jetstream") return Broker.openOn(await openEngine(config, onClusterEvent), common);
  const { data, durability, segmentBytes, retentionMs, retentionBytes } = config;
  const perTopic = { durability, segmentBytes, maxBatchBytes, retentionMs, retentionBytes };
  return Broker.open(data!, { ...perTopic, hooks, ...common }); // the schema requires it
}
