/** Implements the groups' view of the topics. */
import type { PartitionLog } from "../engine/partition-log.js";
import { detailOf } from "../errors/error-detail.js";
import { lagOf } from "../group/lag.js";
import type { GroupTopics } from "../group/state/group-topics.js";
import type { Topics } from "./topics/topics.js";

/** @param clock in ms since the epoch */
export function topicsForGroups(topics: Topics, clock: { now(): number }): GroupTopics {
  const log = (topic: string, partition: number, topicId?: string): PartitionLog =>
    topics.get(topic, topicId).log(partition);
  return {
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

function unreadable(topics: Topics, topic: string) {
  const found = topics.unreadable.find((other) => other.topic === topic);
  return found && { damage: detailOf(found.error) };
}
