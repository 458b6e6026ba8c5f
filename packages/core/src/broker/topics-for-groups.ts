/** Implements the groups' view of the topics. */
import type { PartitionLog } from "../engine/partition-log.js";
import { detailOf } from "../errors/error-detail.js";
import { lagOf } from "../group/lag.js";
import type { GroupTopics, StalePartition } from "../group/state/group-topics.js";
import type { TopicLifecycle } from "./topics/topic-lifecycle.js";
import type { Topics } from "./topics/topics.js";

/** @param clock in ms since the epoch */
export function topicsForGroups({ topics, following }: TopicLifecycle, clock: { now(): number }): GroupTopics {
  const log = (topic: string, partition: number, topicId?: string): PartitionLog =>
    topics.get(topic, topicId).log(partition);
  return {
    refresh: (partitions) => {
      if (!following.isShared) return undefined;
      const learning = following.learn(partitions);
      if (learning === undefined) return refreshLogs(topics, partitions);
      return learning.then(() => refreshLogs(topics, partitions));
    },
    counts: () => new Map(topics.list().map(({ topic, partitionCount }) => [topic, partitionCount])),
    id: (topic) => (topics.has(topic) ? topics.get(topic).id : undefined),
    mayExist: (topic) =>
      topics.has(topic) || topics.unreadable.some((other) => other.topic === undefined || other.topic === topic),
    isDamaged: (topic, partition) => log(topic, partition).damage !== undefined,
    bounds: (topic, partition, topicId) => {
      const { offsets, knownEnd, damage } = log(topic, partition, topicId);
      return { logStart: offsets.logStart, highWatermark: offsets.highWatermark, logEnd: knownEnd, damage };
    },
    resolve: async (topic, partition, position) => log(topic, partition).resolve(position),
    lag: async (topic, partition, committed) => {
      const isThere = topics.has(topic) && partition < topics.get(topic).partitionCount;
      if (!isThere) return { logEndOffset: 0, lag: 0, lagMs: 0, ...unreadable(topics, topic) };
      return lagOf(log(topic, partition), committed, clock.now());
    },
  };
}

/**
 * Updates the bounds that do not include an offset. Partitions that do not exist are passed over.
 */
function refreshLogs(topics: Topics, partitions: Iterable<StalePartition>): Promise<void> | undefined {
  const refreshing: Promise<void>[] = [];
  for (const { topic, partition, offset = Number.POSITIVE_INFINITY } of partitions) {
    if (!topics.has(topic)) continue;
    const found = topics.get(topic);
    if (!(partition >= 0 && partition < found.partitionCount)) continue;
    const log = found.log(partition);
    const each = offset > log.knownEnd ? log.refresh() : undefined;
    if (each !== undefined) refreshing.push(each);
  }
  return refreshing.length === 0 ? undefined : Promise.all(refreshing).then(() => {});
}

function unreadable(topics: Topics, topic: string) {
  const found = topics.unreadable.find((other) => other.topic === topic);
  return found && { damage: detailOf(found.error) };
}
