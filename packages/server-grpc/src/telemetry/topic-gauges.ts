import type { LogApi, TopicHealthApi } from "@logstore/protocol";
import type { BatchObservableResult, Meter } from "@opentelemetry/api";
import { DESTINATION } from "./conventions.js";

/**
 * Number of topics that are reported individually: with more, scrapes would be slow and dashboards
 * unusable.
 */
const MAX_TOPICS = 1_000;

/**
 * Registers metrics of topics, which are read on each collection. Returns a function that removes
 * them.
 */
export function observeTopics(meter: Meter, api: LogApi & Partial<TopicHealthApi>): () => void {
  const gauge = (name: string, description: string, unit: string) =>
    meter.createObservableGauge(name, { description, unit });
  const topicCount = gauge("logstore.topics", "topics that there are", "{topic}");
  const partitions = gauge("logstore.topic.partitions", "partitions of a topic", "{partition}");
  const records = gauge(
    "logstore.topic.records",
    "offsets between the start and the end of a topic's logs",
    "{record}",
  );
  const end = gauge("logstore.topic.end_offset", "log end offsets of a topic's partitions, added up", "{record}");
  const healthy = gauge("logstore.topic.healthy", "1 where all of a topic can be read and appended to, else 0", "1");
  const observables = [topicCount, partitions, records, end, healthy];
  const callback = async (result: BatchObservableResult) => {
    const topics = await api.listTopics().catch(() => undefined); // the log may be closed
    if (topics === undefined) return;
    result.observe(topicCount, topics.length);
    for (const { topic, partitionCount } of topics.slice(0, MAX_TOPICS)) {
      const attributes = { [DESTINATION]: topic };
      result.observe(partitions, partitionCount, attributes);
      const health = await api.topicHealth?.(topic).catch(() => undefined); // it may have been deleted
      if (health !== undefined) result.observe(healthy, health === "serving" ? 1 : 0, attributes);
      const description = await api.describeTopic(topic).catch(() => undefined);
      if (description === undefined) continue;
      let startOffsets = 0;
      let endOffsets = 0;
      for (const { logStartOffset, logEndOffset } of description.partitions) {
        startOffsets += logStartOffset;
        endOffsets += logEndOffset;
      }
      result.observe(records, endOffsets - startOffsets, attributes);
      result.observe(end, endOffsets, attributes);
    }
  };
  meter.addBatchObservableCallback(callback, observables);
  return () => meter.removeBatchObservableCallback(callback, observables);
}
