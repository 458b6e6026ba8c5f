/** Opens the broker that the configuration describes. */
import { Broker, type LogStoreHooks } from "@logstore/core";
import type { ServerConfig } from "./config-schema.js";
import { openEngine } from "./open-engine.js";

/** @param hooks called by the engine of files */
export async function openBroker(config: ServerConfig, hooks: LogStoreHooks): Promise<Broker> {
  const { topics, groups, maxBatchBytes } = config;
  const { perPrincipal: groupLimitsPerPrincipal, ...groupLimits } = groups;
  const common = { topicLimits: topics, groupLimits, groupLimitsPerPrincipal, waitForTopics: false };
  if (config.engine === "jetstream") return Broker.openOn(await openEngine(config), common);
  const { data, durability, segmentBytes, retentionMs, retentionBytes } = config;
  const perTopic = { durability, segmentBytes, maxBatchBytes, retentionMs, retentionBytes };
  return Broker.open(data!, { ...perTopic, hooks, ...common }); // the schema requires it
}
