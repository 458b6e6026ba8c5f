/** Conversions between the messages of group.proto and the API types, where the two differ. */
import type { ErrorDetail } from "./error-codes.js";
import type {
  CommitOffsetsRequest,
  CommitResult,
  GroupDescription,
  GroupMember,
  GroupPartition,
  GroupState,
  GroupSummary,
  PartitionCommit,
  ResetOffsetsRequest,
} from "./group-api.js";
import type { AssignorName, JoinGroupRequest, MemberEvent, OffsetsResetEvent } from "./group-membership.js";
import type { TopicPartition } from "./topic-partition.js";
import { errorDetailFromMessage, type PositionMessage, positionFromMessage, positionToMessage } from "./wire.js";

/** Message `Join`. A field that is not set is empty or 0. */
export interface JoinMessage {
  readonly group: string;
  readonly topics?: readonly string[] | undefined;
  readonly memberId?: string | undefined;
  readonly memberEpoch?: number | undefined;
  readonly instanceId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly sessionTimeoutMs?: number | undefined;
  readonly revokeTimeoutMs?: number | undefined;
  readonly assignor?: string | undefined;
}

/** Message `JoinGroupRequest`: exactly one field is set. */
export interface MemberMessage {
  readonly join?: JoinMessage | null | undefined;
  readonly heartbeat?: object | null | undefined;
  readonly revoked?:
    | { readonly memberEpoch: number; readonly partitions: readonly TopicPartition[] }
    | null
    | undefined;
  readonly subscribe?: { readonly topics: readonly string[] } | null | undefined;
  readonly leave?: object | null | undefined;
}

/** Converts a decoded JoinGroupRequest to the API type. */
export function joinFromMessage(message: JoinMessage): JoinGroupRequest {
  return {
    group: message.group,
    topics: message.topics ?? [],
    memberId: message.memberId || undefined,
    memberEpoch: message.memberId ? (message.memberEpoch ?? 0) : undefined,
    instanceId: message.instanceId || undefined,
    clientId: message.clientId || undefined,
    sessionTimeoutMs: message.sessionTimeoutMs || undefined,
    revokeTimeoutMs: message.revokeTimeoutMs || undefined,
    // An assignor that this version does not know is left for the coordinator to refuse.
    assignor: (message.assignor || undefined) as AssignorName | undefined,
  };
}

/** Message `JoinGroupResponse`: exactly one field is set. */
export interface MemberEventMessage {
  readonly joined?: Omit<Extract<MemberEvent, { type: "joined" }>, "type"> | null | undefined;
  readonly assignment?: Omit<Extract<MemberEvent, { type: "assignment" }>, "type"> | null | undefined;
  readonly offsetsReset?: OffsetsResetMessage | null | undefined;
  readonly heartbeat?: object | null | undefined;
}

/** Message `OffsetsReset`. */
export interface OffsetsResetMessage {
  readonly memberEpoch: number;
  readonly offsets: readonly PartitionCommit[];
}

/** Converts an event of a membership to a message. */
export function memberEventToMessage(event: MemberEvent): MemberEventMessage {
  const { type, ...message } = event;
  return { [type]: message };
}

/**
 * Returns undefined for a response to a heartbeat, and for events that this version does not know.
 */
export function memberEventFromMessage({
  joined,
  assignment,
  offsetsReset,
}: MemberEventMessage): MemberEvent | undefined {
  if (joined) {
    const { memberId, memberEpoch, heartbeatIntervalMs, sessionTimeoutMs } = joined;
    return { type: "joined", memberId, memberEpoch, heartbeatIntervalMs, sessionTimeoutMs };
  }
  if (assignment) {
    const partitions = assignment.partitions.map(({ topic, topicId, partition, committedOffset }) => {
      return { topic, topicId: topicId || undefined, partition, committedOffset };
    });
    const { memberEpoch, revoking } = assignment;
    return { type: "assignment", memberEpoch, partitions, revoking };
  }
  if (offsetsReset) return resetEvent(offsetsReset);
  return undefined;
}

function resetEvent({ memberEpoch, offsets }: OffsetsResetMessage): OffsetsResetEvent {
  return {
    type: "offsetsReset",
    memberEpoch,
    offsets: offsets.map(({ topic, topicId, partition, offset }) => {
      return { topic, topicId: topicId || undefined, partition, offset };
    }),
  };
}

/** Message `CommitOffsetsRequest`. */
export interface CommitOffsetsMessage {
  readonly group: string;
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly offsets: readonly Required<PartitionCommit>[];
}

/** Converts a decoded CommitOffsetsRequest to the API type. */
export function commitFromMessage({
  group,
  memberId,
  memberEpoch,
  offsets,
}: CommitOffsetsMessage): CommitOffsetsRequest {
  if (memberId === "") return { group, offsets };
  return { group, memberId, memberEpoch, offsets };
}

/** Message `CommitResult`. */
export function commitResultFromMessage({ error }: { readonly error?: ErrorDetail | null | undefined }): CommitResult {
  return error ? { error } : {};
}

/** Enum `GroupState` of group.proto. */
const groupStates = [undefined, "empty", "rebalancing", "stable"] as const;

function stateToNumber(state: GroupState): number {
  return groupStates.indexOf(state);
}

/** A state that this version does not know is assumed to be a transition between known ones. */
function stateFromNumber(value: number): GroupState {
  return groupStates[value] ?? "rebalancing";
}

/** Message `GroupSummary`. */
export type GroupSummaryMessage = Omit<GroupSummary, "state"> & { readonly state: number };

/** Converts a group's summary to a message. */
export function groupSummaryToMessage({ state, ...summary }: GroupSummary): GroupSummaryMessage {
  return { ...summary, state: stateToNumber(state) };
}

/** Converts a decoded GroupSummary to the API type. */
export function groupSummaryFromMessage({ group, state, memberCount }: GroupSummaryMessage): GroupSummary {
  return { group, state: stateFromNumber(state), memberCount };
}

/** Message `DescribeGroupResponse`. */
export interface GroupDescriptionMessage {
  readonly group: string;
  readonly state: number;
  readonly groupEpoch: number;
  readonly assignor: string;
  readonly members: readonly (Omit<GroupMember, "instanceId"> & { readonly instanceId: string })[];
  readonly partitions: readonly (Omit<GroupPartition, "memberId"> & { readonly memberId: string })[];
}

/** Converts a group's description to a message. */
export function groupDescriptionToMessage(description: GroupDescription): GroupDescriptionMessage {
  return {
    ...description,
    state: stateToNumber(description.state),
    members: description.members.map((member) => ({ ...member, instanceId: member.instanceId ?? "" })),
    partitions: description.partitions.map((partition) => ({ ...partition, memberId: partition.memberId ?? "" })),
  };
}

/** Converts a decoded GroupDescription to the API type. */
export function groupDescriptionFromMessage(message: GroupDescriptionMessage): GroupDescription {
  const { group, state, groupEpoch, assignor, members, partitions } = message;
  return {
    group,
    state: stateFromNumber(state),
    groupEpoch,
    assignor: assignor as AssignorName,
    members: members.map((member) => ({ ...member, instanceId: member.instanceId || undefined })),
    // Copied field by field: the protobuf loader adds extra properties to messages with optional
    // fields.
    partitions: partitions.map((one) => ({
      topic: one.topic,
      topicId: one.topicId || undefined,
      partition: one.partition,
      memberId: one.memberId || undefined,
      committedOffset: one.committedOffset,
      metadata: one.metadata,
      committedAt: one.committedAt,
      logEndOffset: one.logEndOffset,
      lag: one.lag,
      lagMs: one.lagMs,
      ...(one.damage && { damage: errorDetailFromMessage(one.damage) }),
    })),
  };
}

/** Message `ResetOffsetsRequest`. */
export interface ResetOffsetsMessage {
  readonly group: string;
  readonly partitions?: readonly TopicPartition[] | undefined;
  readonly position?: PositionMessage | null | undefined;
  readonly shiftBy?: number | undefined;
}

/** Converts a reset request to a message. */
export function resetToMessage({ group, partitions, to }: ResetOffsetsRequest): ResetOffsetsMessage {
  if (typeof to === "object" && "shiftBy" in to) return { group, partitions, shiftBy: to.shiftBy };
  return { group, partitions, position: positionToMessage(to) };
}

/** Returns undefined if the message has no target, or one that this version does not know. */
export function resetFromMessage(message: ResetOffsetsMessage): ResetOffsetsRequest | undefined {
  const { group, partitions = [], position, shiftBy } = message;
  const to = shiftBy === undefined ? positionFromMessage(position) : { shiftBy };
  if (to === undefined) return undefined;
  return { group, partitions: partitions.length > 0 ? partitions : undefined, to };
}
