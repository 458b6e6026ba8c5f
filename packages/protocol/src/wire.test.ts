import { expect, test } from "vitest";
import { messageType } from "../test/loaded-proto.js";
import {
  type Durability,
  durabilityFromNumber,
  durabilityToNumber,
  type Position,
  type PositionMessage,
  positionFromMessage,
  positionToMessage,
} from "./index.js";

test.each<Position>([0, 17, 2 ** 53 - 1, "earliest", "latest", { time: 0 }, { time: 1_700_000_000_000 }])(
  "position %o goes through protobuf",
  (position) => {
    const type = messageType("Position");
    const message = type.deserialize(type.serialize(positionToMessage(position)));
    expect(positionFromMessage(message as PositionMessage)).toEqual(position);
  },
);

test("a position that says nothing known is none", () => {
  expect(positionFromMessage(undefined)).toBeUndefined();
  expect(positionFromMessage(null)).toBeUndefined();
  expect(positionFromMessage({})).toBeUndefined();
  expect(positionFromMessage({ edge: 9 })).toBeUndefined();
});

test.each<[Durability | undefined, number]>([
  [undefined, 0],
  ["written", 1],
  ["flushed", 2],
])("durability %s is %i, as log.proto has it", (durability, value) => {
  expect(durabilityToNumber(durability)).toBe(value);
  expect(durabilityFromNumber(value)).toBe(durability);
});

// Messages that go through the loaded .proto files as the API has them: every field, none of them at its default.
test.each<[string, object]>([
  ["CreateTopicRequest", { topic: "t", partitions: 3 }],
  ["ListTopicsResponse", { topics: [{ topic: "t", partitionCount: 3 }] }],
  ["DescribeTopicRequest", { topic: "t" }],
  [
    "DescribeTopicResponse",
    {
      topic: {
        topic: "t",
        partitioner: "fnv1a-32",
        partitions: [{ partition: 1, logStartOffset: 2, highWatermark: 2 ** 52, logEndOffset: 2 ** 53 - 1 }],
      },
    },
  ],
  ["ProduceResponse", { baseOffset: 1, nextOffset: 2, durability: 1, duplicate: true }],
  ["ListOffsetsRequest", { topic: "t", partitions: [{ partition: 1, position: { offset: 5 } }] }],
  ["ListOffsetsResponse", { offsets: [{ partition: 1, offset: 5 }] }],
  ["ConsumeRequest", { topic: "t", partition: 1, from: { edge: 1 }, until: { time: 5 }, maxBytes: 6 }],
  [
    "ErrorDetail",
    { code: "C", message: "m", topic: "t", partition: 1, offset: 2, file: "f", byte: 3, expected: 4, actual: 5 },
  ],
])("%s has the fields of the API", (name, message) => {
  const type = messageType(name);
  expect(type.deserialize(type.serialize(message))).toMatchObject(message);
});
