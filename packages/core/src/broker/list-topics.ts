/**
 * Lists all topics of a broker, including those that are being opened or cannot be opened, so that
 * the list is always complete.
 */
import type { TopicSummary } from "@logstore/protocol";
import type { TopicCatalogue } from "../engine/topic-catalogue.js";
import { detailOf } from "../errors/error-detail.js";
import { inParallel } from "../storage/in-parallel.js";
import { storageError } from "../storage/storage-error.js";
import type { Topics } from "./topics/topics.js";

/** Sorted by name. A topic of which not even the name can be read is omitted. */
export async function listTopics(topics: Topics, catalogue: TopicCatalogue): Promise<TopicSummary[]> {
  const found = new Map<string, TopicSummary>();
  // First: a topic that is opened meanwhile is listed as an open one below.
  for (const summary of await describeOpening(topics, catalogue)) found.set(summary.topic, summary);
  for (const { topic, error } of topics.unreadable) {
    if (topic !== undefined) found.set(topic, { topic, topicId: "", partitionCount: 0, damage: detailOf(error) });
  }
  for (const { topic, id, partitionCount } of topics.list()) {
    found.set(topic, { topic, topicId: id, partitionCount });
  }
  return [...found.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
}

/** Describes the topics that are being opened, from what is stored of them. */
async function describeOpening(topics: Topics, catalogue: TopicCatalogue): Promise<TopicSummary[]> {
  const summaries: TopicSummary[] = [];
  await inParallel(topics.opening(), async (found) => {
    const { topic, id = "" } = found;
    try {
      summaries.push({ topic, topicId: id, partitionCount: await catalogue.partitionCount(found) });
    } catch (cause) {
      const damage = detailOf(storageError(cause, `topic ${topic} cannot be read`, { topic }));
      summaries.push({ topic, topicId: id, partitionCount: 0, damage });
    }
  });
  return summaries;
}
