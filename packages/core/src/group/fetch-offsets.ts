/** Returns the committed offsets of a group. */
import type { CommittedOffset, TopicPartition } from "@logstore/protocol";
import { PacedTask } from "../pacing/pacer.js";
import type { GroupParts } from "./group-parts.js";
import { byName, byNumber } from "./members/news.js";
import type { GroupState } from "./state/group-state.js";
import { checkGroupName } from "./state/limits.js";

/** The part of GroupTopics that is needed here, where it may take time to find a topic. */
interface CommittedTopics {
  /** A topic's id; undefined if the topic does not exist. */
  id(topic: string): string | undefined | Promise<string | undefined>;
  /** @throws UnknownTopicError, InconsistentTopicIdError, UnknownPartitionError */
  bounds(topic: string, partition: number, topicId: string): unknown;
}

/** @param partitions all that have a committed offset, if undefined */
export async function fetchOffsets(
  { journal, topics }: GroupParts,
  group: string,
  partitions: readonly TopicPartition[] | undefined,
): Promise<CommittedOffset[]> {
  journal.check();
  checkGroupName(group);
  return committedOffsets(journal.groups.get(group), topics, partitions);
}

/**
 * @param state undefined if there is no such group
 * @param partitions all that have a committed offset, if undefined
 */
export async function committedOffsets(
  state: GroupState | undefined,
  topics: CommittedTopics,
  partitions: readonly TopicPartition[] | undefined,
): Promise<CommittedOffset[]> {
  if (state === undefined) return [];
  const { commits, topicIds } = state;
  const idOf = (topic: string) => topicIds.get(topic) ?? topics.id(topic);
  const task = new PacedTask();
  const found: CommittedOffset[] = [];
  if (partitions !== undefined) {
    for (const { topic, topicId, partition } of partitions) {
      if (topicId) await topics.bounds(topic, partition, topicId);
      const commit = commits.get(topic)?.get(partition);
      if (commit !== undefined) found.push({ topic, topicId: await idOf(topic), partition, ...commit });
      if (task.isDue) await task.pause();
    }
    return found;
  }
  for (const [topic, ofTopic] of [...commits].sort(byName)) {
    const topicId = await idOf(topic);
    for (const [partition, commit] of [...ofTopic].sort(byNumber)) {
      found.push({ topic, topicId, partition, ...commit });
      if (task.isDue) await task.pause();
    }
  }
  return found;
}
