/** Changes and states of groups as JSON. docs/format/groups.md shows it; part of the format, and not to be changed. */
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
} from "./group-state.js";

const GROUP_FORMAT_VERSION = 1;

interface MemberJson {
  readonly id: string;
  readonly epoch: number;
  readonly instance?: string;
  readonly client: string;
  readonly topics: readonly string[];
  readonly sessionMs: number;
  readonly revokeMs: number;
  /** By topic; `since` is null where no commit counts any more. */
  readonly holdings: Record<string, [partition: number, since: number | null, revokedAt?: number][]>;
}

interface ChangeJson {
  readonly v: number;
  readonly group: string;
  readonly at: number;
  readonly epoch?: number;
  readonly assignor?: AssignorName;
  readonly members?: MemberJson[];
  readonly removed?: readonly string[];
  readonly commits?: Record<string, [partition: number, offset: number, metadata?: string][]>;
  readonly forgotten?: readonly string[];
  readonly deleted?: true;
}

/** A group in a snapshot. */
export interface GroupJson {
  readonly group: string;
  /** Changes before this offset of the log are in it. */
  readonly upTo: number;
  readonly epoch: number;
  readonly assignor: AssignorName;
  readonly emptySince?: number;
  readonly members: MemberJson[];
  readonly commits: Record<string, [partition: number, offset: number, metadata: string, committedAt: number][]>;
}

export function encodeChange({ group, at, epoch, assignor, ...change }: GroupChange): string {
  const { members = [], removed = [], commits = [], forgotten = [], isDeleted } = change;
  const json: ChangeJson = {
    v: GROUP_FORMAT_VERSION,
    group,
    at,
    ...(epoch !== undefined && { epoch }),
    ...(assignor !== undefined && { assignor }),
    ...(members.length > 0 && { members: members.map(memberToJson) }),
    ...(removed.length > 0 && { removed }),
    ...(commits.length > 0 && { commits: commitsToJson(commits) }),
    ...(forgotten.length > 0 && { forgotten }),
    ...(isDeleted && { deleted: true }),
  };
  return JSON.stringify(json);
}

/** @throws UnsupportedFormatVersionError */
export function decodeChange(json: string): GroupChange {
  const { v, members, commits, deleted, ...change } = JSON.parse(json) as ChangeJson;
  if (v !== GROUP_FORMAT_VERSION) {
    throw new UnsupportedFormatVersionError(`the groups' log has format version ${v}: a newer release wrote it`, {
      actual: v,
    });
  }
  return {
    ...change,
    members: members?.map(memberFromJson),
    commits: commits && commitsFromJson(commits),
    isDeleted: deleted,
  };
}

export function encodeGroup(
  { group, epoch, assignor, emptySince, members, commits }: GroupState,
  upTo: number,
): GroupJson {
  return {
    group,
    upTo,
    epoch,
    assignor,
    ...(emptySince !== undefined && { emptySince }),
    members: [...members.values()].map(memberToJson),
    commits: Object.fromEntries(
      [...commits].map(([topic, partitions]) => [
        topic,
        [...partitions].map(([partition, { offset, metadata, committedAt }]) => [
          partition,
          offset,
          metadata,
          committedAt,
        ]),
      ]),
    ),
  };
}

export function decodeGroup({ group, epoch, assignor, emptySince, members, commits }: GroupJson): GroupState {
  const state = newGroup(group);
  state.epoch = epoch;
  state.assignor = assignor;
  state.emptySince = emptySince;
  for (const member of members) state.members.set(member.id, memberFromJson(member));
  for (const [topic, partitions] of Object.entries(commits)) {
    const ofTopic = partitions.map(([partition, offset, metadata, committedAt]) => {
      return [partition, { offset, metadata, committedAt }] as const;
    });
    state.commits.set(topic, new Map(ofTopic));
  }
  return state;
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
  const json: MemberJson["holdings"] = {};
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
  const json: NonNullable<ChangeJson["commits"]> = {};
  for (const { topic, partition, offset, metadata } of commits) {
    json[topic] ??= [];
    json[topic].push(metadata === "" ? [partition, offset] : [partition, offset, metadata]);
  }
  return json;
}

function commitsFromJson(json: NonNullable<ChangeJson["commits"]>): CommitChange[] {
  return Object.entries(json).flatMap(([topic, partitions]) =>
    partitions.map(([partition, offset, metadata = ""]) => ({ topic, partition, offset, metadata })),
  );
}
