/** Responses about large groups; see in-pieces.ts. */
import {
  type GroupDescription,
  groupDescriptionToMessage,
  type MemberEvent,
  type MemberEventMessage,
  memberEventToMessage,
} from "@logstore/protocol";
import { asField, encodeInPieces, type Serialize } from "./in-pieces.js";

/** Serializers of messages of group.proto, by name. */
export interface GroupSerializers {
  readonly Assignment: Serialize;
  readonly OffsetsReset: Serialize;
  readonly GroupMember: Serialize;
  readonly DescribeGroupResponse: Serialize;
  readonly CommitOffsetsResponse: Serialize;
  readonly FetchOffsetsResponse: Serialize;
  readonly ResetOffsetsResponse: Serialize;
  readonly ListGroupsResponse: Serialize;
}

const ASSIGNMENT_FIELD = 2;
const OFFSETS_RESET_FIELD = 3;
const MEMBERS_FIELD = 5;

/**
 * Encodes an event with partitions in slices of the event loop: grpc-js would encode it when the
 * previous one is sent, which is in the same turn for a thousand members.
 */
export async function memberEvent(
  event: MemberEvent,
  { Assignment, OffsetsReset }: GroupSerializers,
): Promise<MemberEventMessage | Buffer> {
  const message = memberEventToMessage(event);
  if (message.assignment) {
    return Buffer.concat(asField(ASSIGNMENT_FIELD, await encodeInPieces(Assignment, message.assignment, "members")));
  }
  if (message.offsetsReset) {
    return Buffer.concat(
      asField(OFFSETS_RESET_FIELD, await encodeInPieces(OffsetsReset, message.offsetsReset, "members")),
    );
  }
  return message;
}

export async function describedGroup(description: GroupDescription, serializers: GroupSerializers): Promise<Buffer> {
  const { members, ...message } = groupDescriptionToMessage(description);
  const pieces = [await encodeInPieces(serializers.DescribeGroupResponse, message)];
  for (const member of members) {
    pieces.push(...asField(MEMBERS_FIELD, await encodeInPieces(serializers.GroupMember, member)));
  }
  return Buffer.concat(pieces);
}
