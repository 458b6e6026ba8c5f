/** Returns the committed offsets of a group. */
import type { CommittedOffset, TopicPartition } from "@logstore/protocol";
import { PacedTask } from "../pacing/pacer.js";
import type { GroupParts } from "./group-parts.js";
import { byName, byNumber } from "./members/news.js";
import { checkGroupName } from "./state/limits.js";

/** @param partitions all that have a committed offset, if undefined */
export async function fetchOffsets(
  { journal, topics }: GroupParts,
  group: string,
  partitions: readonly TopicPartition[] | undefined,
): Promise<CommittedOffset[]> {
  journal.check();
  checkGroupName(group);
  const { commits, topicIds } = journal.groups.get(group) ?? {};
  if (commits === undefined) return [];
  const idOf = (topic: string) => topicIds?.get(topic) ?? topics.id(topic);
  const task = new PacedTask();
  const found: CommittedOffset[] = [];
  if (partitions !== undefined) {
    for (const { topic, topicId, partition } of partitions) {
      if (topicId) topics.bounds(topic, partition, topicId);
      const commit = commits.get(topic)?.get(partition);
      if (commit !== undefined) found.push({ topic, topicId: idOf(topic), partition, ...commit });
      if (task.isDue) await task.pause();
    }
    return found;
  }
  for (const [topic, ofTopic] of [...commits].sort(byName)) {
    const topicId = idOf(topic);
    for (const [partition, commit] of [...ofTopic].sort(byNumber)) {
      found.push({ topic, topicId, partition, ...commit });
      if (task.isDue) await task.pause();
    }
  }
  return found;
}
