import { expect, test } from "vitest";
import { messageType } from "../test/loaded-proto.js";
import type { CommitResult, GroupDescription, GroupSummary, ResetOffsetsRequest } from "./group-api.js";
import type { MemberEvent } from "./group-membership.js";
import {
  type CommitOffsetsMessage,
  commitFromMessage,
  commitResultFromMessage,
  type GroupDescriptionMessage,
  type GroupSummaryMessage,
  groupDescriptionFromMessage,
  groupDescriptionToMessage,
  groupSummaryFromMessage,
  groupSummaryToMessage,
  joinFromMessage,
  type MemberEventMessage,
  type MemberMessage,
  memberEventFromMessage,
  memberEventToMessage,
  type ResetOffsetsMessage,
  resetFromMessage,
  resetToMessage,
} from "./group-wire.js";

/** Encodes and decodes a message, as a peer would receive it. */
function sent<Message>(name: string, message: object): Message {
  const type = messageType(name);
  return type.deserialize(type.serialize(message)) as Message;
}

test.each([
  { group: "g", topics: ["t", "u-*"] },
  {
    group: "g",
    topics: [],
    memberId: "m",
    memberEpoch: 2 ** 40,
    instanceId: "i",
    clientId: "c",
    sessionTimeoutMs: 1,
    revokeTimeoutMs: 2,
    assignor: "round-robin",
  },
])("join %o goes through protobuf", (join) => {
  const { join: received } = sent<MemberMessage>("JoinGroupRequest", { join });
  expect(joinFromMessage(received!)).toEqual(join);
});

test("a new member may send epoch 0, too", () => {
  const { join } = sent<MemberMessage>("JoinGroupRequest", { join: { group: "g", memberId: "m" } });
  expect(joinFromMessage(join!)).toEqual({ group: "g", topics: [], memberId: "m", memberEpoch: 0 });
});

test.each<MemberEvent>([
  { type: "joined", memberId: "m", memberEpoch: 3, heartbeatIntervalMs: 4, sessionTimeoutMs: 5 },
  {
    type: "assignment",
    memberEpoch: 3,
    partitions: [
      { topic: "t", topicId: "t-id", partition: 0, committedOffset: 0 },
      { topic: "t", topicId: "t-id", partition: 1, committedOffset: undefined },
      { topic: "u", topicId: undefined, partition: 9, committedOffset: 2 ** 53 - 1 },
    ],
    revoking: [{ topic: "t", topicId: "t-id", partition: 2 }],
  },
  { type: "assignment", memberEpoch: 4, partitions: [], revoking: [] },
  { type: "offsetsReset", memberEpoch: 3, offsets: [{ topic: "t", topicId: "t-id", partition: 1, offset: 0 }] },
])("event %o goes through protobuf", (event) => {
  const message = sent<MemberEventMessage>("JoinGroupResponse", memberEventToMessage(event));
  expect(memberEventFromMessage(message)).toStrictEqual(event);
});

test("responses to heartbeats and events of a later version decode to undefined", () => {
  expect(memberEventFromMessage(sent("JoinGroupResponse", { heartbeat: {} }))).toBeUndefined();
  expect(memberEventFromMessage(sent("JoinGroupResponse", {}))).toBeUndefined();
});

test("commits round-trip through protobuf, with and without a member", () => {
  const offsets = [{ topic: "t", topicId: "t-id", partition: 1, offset: 0, metadata: "m" }];
  const received = (message: object) => commitFromMessage(sent<CommitOffsetsMessage>("CommitOffsetsRequest", message));
  const member = { group: "g", memberId: "m", memberEpoch: 3, offsets };
  expect(received(member)).toEqual(member);
  expect(received({ group: "g", offsets })).toStrictEqual({ group: "g", offsets });
});

test.each<CommitResult>([
  {},
  { error: { code: "FENCED_MEMBER", message: "out", topic: "t", partition: 0, group: "g" } },
])("commit result %o goes through protobuf", (result) => {
  const received = commitResultFromMessage(sent("CommitResult", result));
  expect(received).toMatchObject(result);
  expect(received.error === undefined).toBe(result.error === undefined);
});

test.each(["empty", "rebalancing", "stable"] as const)("state %s round-trips through protobuf", (state) => {
  const summary: GroupSummary = { group: "g", state, memberCount: 7 };
  const message = sent<GroupSummaryMessage>("GroupSummary", groupSummaryToMessage(summary));
  expect(groupSummaryFromMessage(message)).toEqual(summary);
});

test("an unknown state is read as rebalancing", () => {
  expect(groupSummaryFromMessage(sent("GroupSummary", { group: "g", state: 77 })).state).toBe("rebalancing");
});

test("a description round-trips through protobuf", () => {
  const member = {
    memberId: "m",
    memberEpoch: 3,
    instanceId: "i",
    clientId: "c",
    topics: ["t"],
    assigned: [{ topic: "t", topicId: "t-id", partition: 0 }],
    revoking: [{ topic: "t", topicId: "t-id", partition: 1 }],
    connected: true,
  };
  const partition = { topic: "t", topicId: "t-id", partition: 0, logEndOffset: 9, lag: 8, lagMs: 7 };
  const description: GroupDescription = {
    group: "g",
    state: "stable",
    groupEpoch: 5,
    assignor: "sticky",
    members: [member, { ...member, instanceId: undefined, connected: false }],
    partitions: [
      { ...partition, memberId: "m", committedOffset: 0, metadata: "x", committedAt: 1 },
      { ...partition, memberId: undefined, committedOffset: undefined, metadata: "", committedAt: undefined },
    ],
  };
  const message = sent<GroupDescriptionMessage>("DescribeGroupResponse", groupDescriptionToMessage(description));
  expect(groupDescriptionFromMessage(message)).toStrictEqual(description);
});

test.each<ResetOffsetsRequest["to"]>(["earliest", "latest", 0, 42, { time: -5 }, { shiftBy: -3 }, { shiftBy: 0 }])(
  "a reset to %o goes through protobuf",
  (to) => {
    for (const partitions of [undefined, [{ topic: "t", topicId: "t-id", partition: 1 }]]) {
      const request = { group: "g", partitions, to };
      const message = sent<ResetOffsetsMessage>("ResetOffsetsRequest", resetToMessage(request));
      expect(resetFromMessage(message)).toEqual(request);
    }
  },
);

test("a reset without a known target decodes to undefined", () => {
  expect(resetFromMessage(sent("ResetOffsetsRequest", { group: "g" }))).toBeUndefined();
});
