/**
 * JSON of changes in the groups' log. Part of the disk format, which must not change; see
 * docs/format/groups.md.
 */
import { UnsupportedFormatVersionError } from "@logstore/codec";
import type { AssignorName } from "@logstore/protocol";
import type { CommitChange, GroupChange } from "../state/group-state.js";
import {
  type ByTopic,
  byTopic,
  type MemberJson,
  memberFromJson,
  memberToJson,
  type TopicIds,
  topicIdsToJson,
} from "./member-json.js";

const GROUP_FORMAT_VERSION = 1;

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
