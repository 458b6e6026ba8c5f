/** Computes what `top` shows from two samples: rates, and the rows in order. */
import type { GroupSample, Sample, TopicSample } from "./sample.js";

export interface TopicRow extends TopicSample {
  /** Records appended per second. */
  readonly perSecond: number;
}

export interface GroupRow extends GroupSample {
  /** Records processed per second. */
  readonly perSecond: number;
}

export interface Rows {
  readonly topics: readonly TopicRow[];
  readonly groups: readonly GroupRow[];
  readonly perSecond: number;
}

export const sortings = ["rate", "name", "records", "lag"] as const;
export type Sorting = (typeof sortings)[number];

export function rowsOf(before: Sample | undefined, now: Sample, sorting: Sorting, isReversed = false): Rows {
  const seconds = before === undefined ? 0 : (now.at - before.at) / 1000;
  const rate = (value: number, old: number | undefined) =>
    old === undefined || seconds <= 0 ? 0 : Math.max(0, value - old) / seconds;
  const oldTopics = new Map(before?.topics.map((topic) => [topic.topic, topic.appended]));
  const oldGroups = new Map(before?.groups.map((group) => [group.group, group.committed]));
  const topics = now.topics.map((topic) => ({ ...topic, perSecond: rate(topic.appended, oldTopics.get(topic.topic)) }));
  const groups = now.groups.map((group) => ({
    ...group,
    perSecond: rate(group.committed, oldGroups.get(group.group)),
  }));
  topics.sort((a, b) => byTopic(sorting, a, b) || a.topic.localeCompare(b.topic));
  groups.sort((a, b) => byGroup(sorting, a, b) || a.group.localeCompare(b.group));
  if (isReversed) {
    topics.reverse();
    groups.reverse();
  }
  return { topics, groups, perSecond: topics.reduce((sum, topic) => sum + topic.perSecond, 0) };
}

function byTopic(sorting: Sorting, a: TopicRow, b: TopicRow): number {
  if (sorting === "rate") return b.perSecond - a.perSecond;
  return sorting === "records" ? b.records - a.records : 0;
}

function byGroup(sorting: Sorting, a: GroupRow, b: GroupRow): number {
  if (sorting === "rate") return b.perSecond - a.perSecond;
  return sorting === "lag" || sorting === "records" ? b.lag - a.lag : 0;
}
