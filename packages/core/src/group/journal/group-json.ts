/**
 * JSON of groups in a snapshot. Part of the disk format, which must not change; see
 * docs/format/groups.md.
 */
import type { AssignorName } from "@logstore/protocol";
import { type GroupState, newGroup, putCommit, putMember, putTopicId } from "../state/group-state.js";
import {
  type ByTopic,
  byTopic,
  type MemberJson,
  memberFromJson,
  memberToJson,
  type TopicIds,
  topicIdsToJson,
} from "./member-json.js";

/**
 * Approximate number of commits or holdings in one document of a snapshot, so that none takes too
 * long to encode.
 */
const PIECE_ENTRIES = 2000;

/** The first document of a group in a snapshot. */
export interface GroupJson {
  readonly group: string;
  /** Changes before this offset of the log are included. */
  readonly upTo: number;
  readonly owner?: string;
  readonly epoch: number;
  readonly assignor: AssignorName;
  readonly emptySince?: number;
  readonly members: readonly MemberJson[];
  readonly commits: CommitsJson;
}

/** A continuation of the group in the previous document. */
export interface MoreOfGroupJson {
  readonly upTo: number;
  readonly members?: readonly MemberJson[];
  readonly commits?: CommitsJson;
  readonly topicIds?: TopicIds;
}

type CommitsJson = ByTopic<[partition: number, offset: number, metadata: string, committedAt: number]>;

/**
 * Yields the documents of a group. The group may change between two of them: each contains the
 * state at the time it is requested.
 *
 * @param upTo returns the offset of the next change
 */
export function* encodeGroup(state: GroupState, upTo: () => number): Generator<GroupJson | MoreOfGroupJson, void> {
  const { group, owner, epoch, assignor, emptySince } = state;
  yield {
    group,
    upTo: upTo(),
    ...(owner !== undefined && { owner }),
    epoch,
    assignor,
    ...(emptySince !== undefined && { emptySince }),
    members: [],
    commits: byTopic(),
  };
  yield* encodeMembers(state, upTo);
  yield* encodeCommits(state, upTo);
}

function* encodeMembers({ members }: GroupState, upTo: () => number): Generator<MoreOfGroupJson, void> {
  let some: MemberJson[] = [];
  let entries = 0;
  for (const member of members.values()) {
    some.push(memberToJson(member));
    entries += 1 + member.topics.length;
    for (const partitions of member.holdings.values()) entries += partitions.size;
    if (entries < PIECE_ENTRIES) continue;
    yield { upTo: upTo(), members: some };
    some = [];
    entries = 0;
  }
  if (some.length > 0) yield { upTo: upTo(), members: some };
}

function* encodeCommits({ commits, topicIds }: GroupState, upTo: () => number): Generator<MoreOfGroupJson, void> {
  const idsOf = (some: CommitsJson) => new Map(Object.keys(some).map((topic) => [topic, topicIds.get(topic)]));
  let some: CommitsJson = byTopic();
  let entries = 0;
  for (const [topic, partitions] of commits) {
    for (const [partition, { offset, metadata, committedAt }] of partitions) {
      some[topic] ??= [];
      some[topic].push([partition, offset, metadata, committedAt]);
      entries += 1 + metadata.length / 64;
      if (entries < PIECE_ENTRIES) continue;
      yield { upTo: upTo(), commits: some, ...topicIdsToJson(idsOf(some)) };
      some = byTopic();
      entries = 0;
    }
  }
  if (entries > 0) yield { upTo: upTo(), commits: some, ...topicIdsToJson(idsOf(some)) };
}

export function decodeGroup({ group, owner, epoch, assignor, emptySince, ...more }: GroupJson): GroupState {
  const state = newGroup(group, owner);
  state.epoch = epoch;
  state.assignor = assignor;
  state.emptySince = emptySince;
  decodeMoreOfGroup(state, more);
  return state;
}

export function decodeMoreOfGroup(state: GroupState, more: MoreOfGroupJson): void {
  const { members = [], commits = {}, topicIds = {} } = more;
  for (const member of members) putMember(state, memberFromJson(member));
  for (const [topic, id] of Object.entries(topicIds)) putTopicId(state, topic, id);
  for (const [topic, partitions] of Object.entries(commits)) {
    for (const [partition, offset, metadata, committedAt] of partitions) {
      putCommit(state, topic, partition, { offset, metadata, committedAt });
    }
  }
}
