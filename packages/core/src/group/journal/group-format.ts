/**
 * JSON encoding of changes and states of groups, as described in docs/format/groups.md. Part of the
 * disk format, which must not change.
 */
import { UnsupportedFormatVersionError } from "@logstore/codec";
import type { AssignorName } from "@logstore/protocol";
import {
  type CommitChange,
  type GroupChange,
  type GroupState,
  type Holdings,
  type Member,
  NEVER,
  newGroup,
  putCommit,
  putMember,
  putTopicId,
} from "../state/group-state.js";

const GROUP_FORMAT_VERSION = 1;

/**
 * Approximate number of commits or holdings in one document of a snapshot, so that none takes too
 * long to encode.
 */
const PIECE_ENTRIES = 2000;

type ByTopic<Entry> = Record<string, Entry[]>;

/** The topic ids of the commits next to it, by topic. */
type TopicIds = Readonly<Record<string, string>>;

/** Without a prototype, because `constructor` and `__proto__` are valid topic names. */
function byTopic<Entry>(): ByTopic<Entry> {
  return Object.create(null) as ByTopic<Entry>;
}

interface MemberJson {
  readonly id: string;
  readonly epoch: number;
  readonly instance?: string;
  readonly client: string;
  readonly topics: readonly string[];
  readonly sessionMs: number;
  readonly revokeMs: number;
  /** `since` is null if no commit counts any more. */
  readonly holdings: ByTopic<[partition: number, since: number | null, revokedAt?: number]>;
}

interface ChangeJson {
  readonly v: number;
  readonly group: string;
  readonly at: number;
  readonly owner?: string;
  readonly epoch?: number;
  readonly assignor?: AssignorName;
  readonly members?: MemberJson[];
  readonly removed?: readonly string[];
  readonly commits?: ByTopic<[partition: number, offset: number, metadata?: string]>;
  readonly topicIds?: TopicIds;
  readonly forgotten?: readonly string[];
  readonly deleted?: true;
}

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

export function encodeChange({ group, at, owner, epoch, assignor, ...change }: GroupChange): string {
  const { members = [], removed = [], commits = [], forgotten = [], isDeleted } = change;
  const json: ChangeJson = {
    v: GROUP_FORMAT_VERSION,
    group,
    at,
    ...(owner !== undefined && { owner }),
    ...(epoch !== undefined && { epoch }),
    ...(assignor !== undefined && { assignor }),
    ...(members.length > 0 && { members: members.map(memberToJson) }),
    ...(removed.length > 0 && { removed }),
    ...(commits.length > 0 && { commits: commitsToJson(commits) }),
    ...topicIdsToJson(idsIn(commits)),
    ...(forgotten.length > 0 && { forgotten }),
    ...(isDeleted && { deleted: true }),
  };
  return JSON.stringify(json);
}

/** @throws UnsupportedFormatVersionError */
export function decodeChange(json: string): GroupChange {
  const { v, members, commits, topicIds, deleted, ...change } = JSON.parse(json) as ChangeJson;
  if (v !== GROUP_FORMAT_VERSION) {
    throw new UnsupportedFormatVersionError(`the groups' log has format version ${v}: a newer release wrote it`, {
      actual: v,
    });
  }
  return {
    ...change,
    members: members?.map(memberFromJson),
    commits: commits && commitsFromJson(commits, topicIds),
    isDeleted: deleted,
  };
}

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

function memberToJson(member: Member): MemberJson {
  const { memberId, epoch, instanceId, clientId, topics, sessionTimeoutMs, revokeTimeoutMs, holdings } = member;
  return {
    id: memberId,
    epoch,
    ...(instanceId !== undefined && { instance: instanceId }),
    client: clientId,
    topics,
    sessionMs: sessionTimeoutMs,
    revokeMs: revokeTimeoutMs,
    holdings: holdingsToJson(holdings),
  };
}

function memberFromJson({ id, epoch, instance, client, topics, sessionMs, revokeMs, holdings }: MemberJson): Member {
  return {
    memberId: id,
    epoch,
    instanceId: instance,
    clientId: client,
    topics,
    sessionTimeoutMs: sessionMs,
    revokeTimeoutMs: revokeMs,
    holdings: holdingsFromJson(holdings),
  };
}

function holdingsToJson(holdings: Holdings): MemberJson["holdings"] {
  const json: MemberJson["holdings"] = byTopic();
  for (const [topic, partitions] of holdings) {
    json[topic] = [...partitions].map(([partition, { since, revokedAt }]) => {
      const told = since === NEVER ? null : since;
      return revokedAt === undefined ? [partition, told] : [partition, told, revokedAt];
    });
  }
  return json;
}

function holdingsFromJson(json: MemberJson["holdings"]): Holdings {
  return new Map(
    Object.entries(json).map(([topic, partitions]) => [
      topic,
      new Map(partitions.map(([partition, since, revokedAt]) => [partition, { since: since ?? NEVER, revokedAt }])),
    ]),
  );
}

function commitsToJson(commits: readonly CommitChange[]): NonNullable<ChangeJson["commits"]> {
  const json: NonNullable<ChangeJson["commits"]> = byTopic();
  for (const { topic, partition, offset, metadata } of commits) {
    json[topic] ??= [];
    json[topic].push(metadata === "" ? [partition, offset] : [partition, offset, metadata]);
  }
  return json;
}

function commitsFromJson(
  json: NonNullable<ChangeJson["commits"]>,
  topicIds: ChangeJson["topicIds"] = {},
): CommitChange[] {
  const ids = new Map(Object.entries(topicIds));
  return Object.entries(json).flatMap(([topic, partitions]) => {
    const topicId = ids.get(topic);
    return partitions.map(([partition, offset, metadata = ""]) => ({ topic, topicId, partition, offset, metadata }));
  });
}

function idsIn(commits: readonly CommitChange[]): Map<string, string | undefined> {
  return new Map(commits.map(({ topic, topicId }) => [topic, topicId]));
}

function topicIdsToJson(ids: ReadonlyMap<string, string | undefined>): Pick<ChangeJson, "topicIds"> {
  const known = [...ids].filter((entry): entry is [string, string] => entry[1] !== undefined);
  return known.length > 0 ? { topicIds: Object.fromEntries(known) } : {};
}
