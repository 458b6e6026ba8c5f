/**
 * Brings groups into line with the topics when they are opened: drops committed offsets of topics
 * that are gone, and corrects those beyond the end of a log.
 */
import { decideReset, type PartitionOffset } from "./decide/resets.js";
import type { GroupParts } from "./group-parts.js";
import type { GroupState } from "./state/group-state.js";
import type { GroupTopics, StalePartition } from "./state/group-topics.js";
import { tellResets } from "./tell-resets.js";
import type { Steps } from "./time/slices.js";

/**
 * Everything that groups have committed. It can be iterated more than once.
 *
 * @param isWanted other topics are left out
 */
export function committedPartitions(
  groups: ReadonlyMap<string, GroupState>,
  isWanted: (topic: string) => boolean = () => true,
): Iterable<StalePartition> {
  return {
    *[Symbol.iterator]() {
      for (const { commits, topicIds } of groups.values()) {
        for (const [topic, ofTopic] of commits) {
          if (!isWanted(topic)) continue;
          const topicId = topicIds.get(topic);
          for (const [partition, { offset }] of ofTopic) yield { topic, topicId, partition, offset };
        }
      }
    },
  };
}

/** Whether a partition, or a whole topic, is to be considered. */
export type IsDue = (topic: string, partition?: number) => boolean;

export function* recoverGroups(parts: GroupParts, isDue: IsDue): Steps {
  yield* parts.members.recover();
  yield* alignGroups(parts, isDue);
}

export function* alignGroups(parts: GroupParts, isDue: IsDue): Steps {
  const { journal, members, topics } = parts;
  const counts = topics.counts();
  for (const state of journal.groups.values()) {
    const { group } = state;
    for (const topic of state.commits.keys()) {
      if (isDue(topic) && (!topics.mayExist(topic) || isOfAnother(state, topic, topics)))
        members.input(group, { type: "topicDeleted", topic });
    }
    if (state.members.size > 0) members.input(group, { type: "topicsChanged" });
    yield;
    const beyond = beyondTheirLogs(state, counts, topics, isDue);
    if (beyond.length === 0) continue;
    const { change, told } = yield* decideReset(state, beyond, journal.now());
    const durable = journal.append([change]);
    durable.catch(() => {}); // the journal has failed then, and reports it
    yield* tellResets(parts, state, told, durable);
  }
}

/**
 * Whether the commits belong to an earlier topic of this name, because the groups or the topics
 * were restored from a copy.
 */
function isOfAnother({ topicIds }: GroupState, topic: string, topics: GroupTopics): boolean {
  const id = topics.id(topic);
  return id !== undefined && (topicIds.get(topic) ?? id) !== id;
}

/**
 * After a power failure a log may have lost its end. New records will take those offsets, and
 * must not be skipped.
 */
function beyondTheirLogs(
  state: GroupState,
  counts: ReadonlyMap<string, number>,
  topics: GroupTopics,
  isDue: IsDue,
): PartitionOffset[] {
  const beyond: PartitionOffset[] = [];
  for (const [topic, ofTopic] of state.commits) {
    for (const [partition, { offset }] of ofTopic) {
      if (isOfAnother(state, topic, topics)) break;
      if (partition >= (counts.get(topic) ?? 0) || !isDue(topic, partition)) continue;
      if (topics.isDamaged(topic, partition)) continue;
      const { logEnd } = topics.bounds(topic, partition);
      if (offset > logEnd) beyond.push({ topic, topicId: topics.id(topic), partition, offset: logEnd });
    }
  }
  return beyond;
}
