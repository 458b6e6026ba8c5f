import { expect, test } from "vitest";
import { messageType } from "../test/loaded-proto.js";
import {
  configChangeFromMessage,
  configChangeToMessage,
  configFromMessage,
  configToMessage,
  type Durability,
  durabilityFromNumber,
  durabilityToNumber,
  offeredDurabilities,
  type Position,
  type PositionMessage,
  positionFromMessage,
  positionToMessage,
  statedDurability,
  type TopicConfig,
  type TopicConfigChange,
  type TopicConfigChangeMessage,
  type TopicConfigMessage,
} from "./index.js";

test.each<Position>([0, 17, 2 ** 53 - 1, "earliest", "latest", { time: 0 }, { time: 1_700_000_000_000 }])(
  "position %o goes through protobuf",
  (position) => {
    const type = messageType("Position");
    const message = type.deserialize(type.serialize(positionToMessage(position)));
    expect(positionFromMessage(message as PositionMessage)).toEqual(position);
  },
);

test("a position without a known value decodes to undefined", () => {
  expect(positionFromMessage(undefined)).toBeUndefined();
  expect(positionFromMessage(null)).toBeUndefined();
  expect(positionFromMessage({})).toBeUndefined();
  expect(positionFromMessage({ edge: 9 })).toBeUndefined();
});

test.each<[Durability | undefined, number]>([
  [undefined, 0],
  ["written", 1],
  ["flushed", 2],
  ["replicated", 3],
])("durability %s is %i, as log.proto has it", (durability, value) => {
  expect(durabilityToNumber(durability)).toBe(value);
  expect(durabilityFromNumber(value)).toBe(durability);
});

test("an unknown durability is the strongest in a request, the weakest in an answer, and not offered", () => {
  expect(durabilityFromNumber(9)).toBe("flushed");
  expect(statedDurability(9)).toBe("written");
  expect(statedDurability(0)).toBe("written");
  expect(statedDurability(2)).toBe("flushed");
  expect(offeredDurabilities([1, 9, 2])).toEqual(["written", "flushed"]);
  expect(offeredDurabilities(undefined)).toEqual([]);
});

// Messages that the loaded .proto files encode in the form of the API: every field is set to a
// value other than its default.
test.each<[string, object]>([
  [
    "CreateTopicRequest",
    {
      topic: "t",
      partitions: 3,
      config: { durability: 1, segmentBytes: 2 ** 31, maxBatchBytes: 3, retentionMs: 2 ** 40, retentionBytes: 0 },
    },
  ],
  ["ListTopicsResponse", { topics: [{ topic: "t", partitionCount: 3 }] }],
  ["DescribeTopicRequest", { topic: "t" }],
  [
    "DescribeTopicResponse",
    {
      topic: {
        topic: "t",
        partitioner: "fnv1a-32",
        partitions: [{ partition: 1, logStartOffset: 2, highWatermark: 2 ** 52, logEndOffset: 2 ** 53 - 1 }],
        config: { retentionMs: 1 },
      },
    },
  ],
  ["AlterTopicConfigRequest", { topic: "t", set: { retentionMs: 1 }, unset: ["segment_bytes"] }],
  ["AlterTopicConfigResponse", { config: { retentionMs: 1 } }],
  ["DeleteTopicRequest", { topic: "t" }],
  ["DeleteRecordsRequest", { topic: "t", partition: 1, before: { offset: 5 } }],
  ["DeleteRecordsResponse", { logStartOffset: 5 }],
  ["CreateSnapshotRequest", { topic: "t", snapshot: "s" }],
  [
    "CreateSnapshotResponse",
    {
      snapshot: {
        topic: "t",
        snapshot: "s",
        createdAt: 1_700_000_000_000,
        partitions: [{ partition: 1, logStartOffset: 2, logEndOffset: 3 }],
        sizeBytes: 2 ** 40,
      },
    },
  ],
  ["ListSnapshotsRequest", { topic: "t" }],
  ["DeleteSnapshotRequest", { topic: "t", snapshot: "s" }],
  ["RestoreSnapshotRequest", { topic: "t", snapshot: "s", newTopic: "u" }],
  ["ProduceResponse", { baseOffset: 1, nextOffset: 2, durability: 1, duplicate: true, logEndOffset: 3 }],
  ["FetchRequest", { topic: "t", partition: 1, from: { edge: 2 }, maxBytes: 3, minBytes: 4, maxWaitMs: 5 }],
  ["AllocateProducerIdResponse", { producerId: 7 }],
  ["ListOffsetsRequest", { topic: "t", partitions: [{ partition: 1, position: { offset: 5 } }] }],
  [
    "ListOffsetsResponse",
    { offsets: [{ partition: 1, offset: 5, logStartOffset: 4, highWatermark: 6, logEndOffset: 7 }] },
  ],
  ["ConsumeRequest", { topic: "t", partition: 1, from: { edge: 1 }, until: { time: 5 }, maxBytes: 6 }],
  [
    "ErrorDetail",
    {
      code: "C",
      message: "m",
      topic: "t",
      partition: 1,
      offset: 2,
      file: "f",
      byte: 3,
      expected: 4,
      actual: 5,
      retryAfterMs: 6,
      group: "g",
    },
  ],
])("%s has the fields of the API", (name, message) => {
  const type = messageType(name);
  expect(type.deserialize(type.serialize(message))).toMatchObject(message);
});

test.each<TopicConfig>([
  {},
  { retentionMs: 0 },
  { durability: "written", segmentBytes: 1, maxBatchBytes: 2, retentionMs: 3, retentionBytes: 2 ** 50 },
])("configuration %o goes through protobuf", (config) => {
  const type = messageType("TopicConfig");
  const message = type.deserialize(type.serialize(configToMessage(config)));
  expect(configFromMessage(message as TopicConfigMessage)).toEqual(config);
});

test.each<TopicConfigChange>([
  {},
  { durability: null, segmentBytes: null, maxBatchBytes: null, retentionMs: null, retentionBytes: null },
  { durability: "flushed", retentionMs: 0, retentionBytes: null },
])("change %o goes through protobuf", (change) => {
  const type = messageType("AlterTopicConfigRequest");
  const message = type.deserialize(type.serialize({ topic: "t", ...configChangeToMessage(change) }));
  expect(configChangeFromMessage(message as TopicConfigChangeMessage)).toEqual(change);
});

test("a change of an unknown field contains its name", () => {
  expect(configChangeFromMessage({ unset: ["cleanup_policy"] })).toEqual({ cleanup_policy: null });
});
