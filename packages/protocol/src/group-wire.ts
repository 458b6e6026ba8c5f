/**
 * Where a message of group.proto says something in another way than the API: both directions, side
 * by side.
 */
import type { ErrorDetail } from "./error-codes.js";
import type {
  AssignorName,
  CommitOffsetsRequest,
  CommitResult,
  GroupDescription,
  GroupMember,
  GroupPartition,
  GroupState,
  GroupSummary,
  JoinGroupRequest,
  MemberEvent,
  OffsetsResetEvent,
  PartitionCommit,
  ResetOffsetsRequest,
  TopicPartition,
} from "./group-api.js";
import { errorDetailFromMessage, type PositionMessage, positionFromMessage, positionToMessage } from "./wire.js";

/** Message `Join`: what is left out is empty, or 0. */
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

/** Message `JoinGroupRequest`: one of these. */
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

/** A JoinGroupRequest as protobuf gives it, as the API has it. */
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
    // A name that this release does not know is left for the coordinator to refuse.
    assignor: (message.assignor || undefined) as AssignorName | undefined,
  };
}

/** Message `JoinGroupResponse`: one of these. */
export interface MemberEventMessage {
  readonly joined?: Omit<Extract<MemberEvent, { type: "joined" }>, "type"> | null | undefined;
  readonly assignment?: Omit<Extract<MemberEvent, { type: "assignment" }>, "type"> | null | undefined;
  readonly offsetsReset?: OffsetsResetMessage | null | undefined;
  readonly heartbeat?: object | null | undefined;
}

/** An OffsetsReset as protobuf gives it. */
export interface OffsetsResetMessage {
  readonly memberEpoch: number;
  readonly offsets: readonly PartitionCommit[];
}

/** An event of a membership as protobuf takes it. */
export function memberEventToMessage(event: MemberEvent): MemberEventMessage {
  const { type, ...message } = event;
  return { [type]: message };
}

/** Undefined for an answer to a heartbeat, and for what this release does not know. */
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

/** A CommitOffsetsRequest as protobuf gives it, as the API has it. */
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

/** A state that this release does not know is on its way to one that it knows. */
function stateFromNumber(value: number): GroupState {
  return groupStates[value] ?? "rebalancing";
}

/** Message `GroupSummary`. */
export type GroupSummaryMessage = Omit<GroupSummary, "state"> & { readonly state: number };

/** A group's summary as protobuf takes it. */
export function groupSummaryToMessage({ state, ...summary }: GroupSummary): GroupSummaryMessage {
  return { ...summary, state: stateToNumber(state) };
}

/** A GroupSummary as protobuf gives it, as the API has it. */
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

/** A group's description as protobuf takes it. */
export function groupDescriptionToMessage(description: GroupDescription): GroupDescriptionMessage {
  return {
    ...description,
    state: stateToNumber(description.state),
    members: description.members.map((member) => ({ ...member, instanceId: member.instanceId ?? "" })),
    partitions: description.partitions.map((partition) => ({ ...partition, memberId: partition.memberId ?? "" })),
  };
}

/** A GroupDescription as protobuf gives it, as the API has it. */
export function groupDescriptionFromMessage(message: GroupDescriptionMessage): GroupDescription {
  const { group, state, groupEpoch, assignor, members, partitions } = message;
  return {
    group,
    state: stateFromNumber(state),
    groupEpoch,
    assignor: assignor as AssignorName,
    members: members.map((member) => ({ ...member, instanceId: member.instanceId || undefined })),
    // Field by field: a loader adds names of its own to messages with optional fields.
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

/** A ResetOffsetsRequest as protobuf takes it. */
export function resetToMessage({ group, partitions, to }: ResetOffsetsRequest): ResetOffsetsMessage {
  if (typeof to === "object" && "shiftBy" in to) return { group, partitions, shiftBy: to.shiftBy };
  return { group, partitions, position: positionToMessage(to) };
}

/** Undefined where the message does not say where to, or says nothing that this release knows. */
export function resetFromMessage(message: ResetOffsetsMessage): ResetOffsetsRequest | undefined {
  const { group, partitions = [], position, shiftBy } = message;
  const to = shiftBy === undefined ? positionFromMessage(position) : { shiftBy };
  if (to === undefined) return undefined;
  return { group, partitions: partitions.length > 0 ? partitions : undefined, to };
}
