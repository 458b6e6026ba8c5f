import { type GroupDescription, groupDescriptionToMessage, type MemberEvent } from "@logstore/protocol";
import { expect, test } from "vitest";
import { describedGroup, memberEvent } from "./group-answers.js";
import { encodeInPieces } from "./in-pieces.js";
import { loadProto } from "./load-proto.js";

const { group, groupService } = loadProto();
const partitions = Array.from({ length: 4500 }, (_, partition) => ({ topic: "t", topicId: "id", partition }));

test("a long list encoded in pieces gives the same message", async () => {
  const message = { offsets: partitions.map((each) => ({ ...each, offset: each.partition, metadata: "m" })) };
  const whole = group.FetchOffsetsResponse(message);
  expect((await encodeInPieces(group.FetchOffsetsResponse, message)).equals(whole)).toBe(true);
  const service = groupService["FetchOffsets"]!;
  expect(service.responseSerialize(whole)).toBe(whole);
});

test("a large group is described like a small one, without blocking the event loop", async () => {
  const member = (memberId: string) => ({
    memberId,
    memberEpoch: 3,
    instanceId: undefined,
    clientId: "c",
    topics: ["*"],
    assigned: partitions,
    revoking: [],
    isConnected: true,
    connected: true,
  });
  const description: GroupDescription = {
    group: "g",
    state: "stable",
    groupEpoch: 3,
    assignor: "sticky",
    members: [member("a"), member("b")],
    partitions: partitions.map((each) => ({
      ...each,
      memberId: "a",
      committedOffset: 5,
      metadata: "m",
      committedAt: 6,
      logEndOffset: 7,
      lag: 2,
      lagMs: 1,
    })),
  };
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const bytes = await describedGroup(description, group);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(1);
  const { responseDeserialize } = groupService["DescribeGroup"]!;
  const whole = group.DescribeGroupResponse(groupDescriptionToMessage(description));
  expect(responseDeserialize(bytes)).toEqual(responseDeserialize(whole));
});

test.each<MemberEvent>([
  {
    type: "assignment",
    memberEpoch: 4,
    partitions: partitions.map((p) => ({ ...p, committedOffset: 9 })),
    revoking: partitions,
  },
  { type: "offsetsReset", memberEpoch: 4, offsets: partitions.map((each) => ({ ...each, offset: 0 })) },
])("a long event of a member: $type", async (event) => {
  const { type, ...message } = event;
  const { responseSerialize, responseDeserialize } = groupService["JoinGroup"]!;
  const encoded = await memberEvent(event, group);
  expect(Buffer.isBuffer(encoded)).toBe(true);
  expect(responseDeserialize(responseSerialize(encoded))).toEqual(
    responseDeserialize(responseSerialize({ [type]: message })),
  );
});
