/**
 * All topics of a broker, those that cannot be opened included: a list never passes for all there
 * is where it is not.
 */
import type { TopicSummary } from "@logstore/protocol";
import { detailOf } from "../errors/error-detail.js";
import type { Topics } from "./topics/topics.js";

/** By name. A directory of which not even the topic's name can be read is not among them. */
export async function listTopics(topics: Topics): Promise<TopicSummary[]> {
  const found = new Map<string, TopicSummary>();
  // First: a topic that is opened meanwhile is listed as an open one below.
  for (const summary of await topics.beingOpened()) found.set(summary.topic, summary);
  for (const { topic, error } of topics.unreadable) {
    if (topic !== undefined) found.set(topic, { topic, topicId: "", partitionCount: 0, damage: detailOf(error) });
  }
  for (const { topic, id, partitionCount } of topics.list()) {
    found.set(topic, { topic, topicId: id, partitionCount });
  }
  return [...found.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
}
