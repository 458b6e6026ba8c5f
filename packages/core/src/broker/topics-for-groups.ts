/** Implements the groups' view of the topics. */
import type { TopicPartition } from "@logstore/protocol";
import type { PartitionLog } from "../engine/partition-log.js";
import { detailOf } from "../errors/error-detail.js";
import { lagOf } from "../group/lag.js";
import type { GroupTopics, StalePartition } from "../group/state/group-topics.js";
import { RefreshFailures } from "../group/state/refresh-failures.js";
import { inParallel } from "../storage/in-parallel.js";
import { storageError } from "../storage/storage-error.js";
import type { TopicLifecycle } from "./topics/topic-lifecycle.js";
import type { Topics } from "./topics/topics.js";

/** The lag of a partition of which nothing is known. */
const NO_LAG = { logEndOffset: 0, lag: 0, lagMs: 0 } as const;

/** @param clock in ms since the epoch */
export function topicsForGroups({ topics, following }: TopicLifecycle, clock: { now(): number }): GroupTopics {
  const log = (topic: string, partition: number, topicId?: string): PartitionLog =>
    topics.get(topic, topicId).log(partition);
  return {
    refresh: (partitions) => {
      if (!following.isShared) return undefined;
      const failures = new RefreshFailures();
      const learning = following.learnAll(partitions);
      if (learning === undefined) return refreshLogs(topics, partitions, failures);
      return learning.then((errors) => {
        for (const [topic, error] of errors) failures.add(error, topic);
        return refreshLogs(topics, partitions, failures) ?? failures;
      });
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
      if (!isThere) return { ...NO_LAG, ...unreadable(topics, topic) };
      try {
        return await lagOf(log(topic, partition), committed, clock.now());
      } catch (cause) {
        // One partition that cannot be read does not hide the lags of the others.
        const error = storageError(cause, `partition ${partition} of ${topic} cannot be read`, { topic, partition });
        return { ...NO_LAG, damage: detailOf(error) };
      }
    },
  };
}

/**
 * Updates the bounds that do not include an offset. Partitions that do not exist are passed over.
 *
 * @param failures to which the errors of partitions are added
 */
function refreshLogs(
  topics: Topics,
  partitions: Iterable<StalePartition>,
  failures: RefreshFailures,
): Promise<RefreshFailures> | undefined {
  const stale = new Map<PartitionLog, TopicPartition>();
  const failed = ({ topic, partition }: TopicPartition, cause: unknown) => {
    const what = `partition ${partition} of ${topic} cannot be refreshed`;
    failures.add(storageError(cause, what, { topic, partition }), topic, partition);
  };
  for (const { topic, partition, offset = Number.POSITIVE_INFINITY } of partitions) {
    if (!topics.has(topic)) continue;
    const found = topics.get(topic);
    if (!(partition >= 0 && partition < found.partitionCount)) continue;
    try {
      const log = found.log(partition);
      if (offset > log.knownEnd) stale.set(log, { topic, partition });
    } catch (cause) {
      failed({ topic, partition }, cause);
    }
  }
  if (stale.size === 0) return failures.isEmpty ? undefined : Promise.resolve(failures);
  const refresh = async ([log, place]: readonly [PartitionLog, TopicPartition]) => {
    try {
      await log.refresh();
    } catch (cause) {
      failed(place, cause);
    }
  };
  return inParallel([...stale], refresh).then(() => failures);
}

function unreadable(topics: Topics, topic: string) {
  const found = topics.unreadable.find((other) => other.topic === topic);
  return found && { damage: detailOf(found.error) };
}
