import type { PartitionDescription, TopicDescription } from "@logstore/protocol";
import type { Engine } from "../engine/engine.js";
import type { Topic } from "../engine/topic-catalogue.js";
import { inParallel } from "../storage/in-parallel.js";
import { boundsOf } from "./bounds.js";

export async function describeTopic(engine: Engine, found: Topic): Promise<TopicDescription> {
  const { topic, id, config, partitioner, partitionCount } = found;
  const logs = Array.from({ length: partitionCount }, (_, partition) => found.log(partition));
  await inParallel(logs, async (log) => log.refresh());
  const partitions = logs.map((log): PartitionDescription => {
    const { partition } = log;
    const owner = engine.cluster?.owner(id, partition);
    return { partition, ...boundsOf(log), ...(owner !== undefined && { ownerAddress: owner.address }) };
  });
  const effectiveConfig = engine.catalogue.effectiveConfig(config);
  const { durabilities } = engine;
  return { topic, topicId: id, partitioner, partitions, config, effectiveConfig, durabilities };
}
