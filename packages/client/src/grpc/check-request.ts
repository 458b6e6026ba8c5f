/**
 * Refuses numbers that protobuf would silently change: a partition of -1 would become very large,
 * 1.5 a whole number. The errors are those that an embedded broker gives.
 */
import {
  BatchTooLargeError,
  InvalidArgumentError,
  OffsetOutOfRangeError,
  UnknownPartitionError,
} from "@logstore/codec";
import {
  type ConsumeRequest,
  type CreateTopicRequest,
  type Durability,
  durabilityToNumber,
  type FetchRequest,
  type ListOffsetsRequest,
  type Position,
  type ProduceRequest,
  type TopicConfigChange,
} from "@logstore/protocol";

const MAX_UINT32 = 2 ** 32 - 1;

export function checkCreateTopic({ topic, partitions, config = {} }: CreateTopicRequest): void {
  if (!isUint32(partitions)) {
    throw new InvalidArgumentError(`a topic has a whole number of partitions, not ${partitions}`, { topic });
  }
  checkConfigChange(topic, config);
}

/** Refuses only values that protobuf cannot represent; the server checks the rest. */
export function checkConfigChange(topic: string, change: TopicConfigChange): void {
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined || value === null) continue;
    const { durability, ...sizes } = TOPIC_CONFIG;
    if (!(name in TOPIC_CONFIG)) {
      const names = Object.keys(TOPIC_CONFIG).join(", ");
      throw new InvalidArgumentError(`a topic has no ${JSON.stringify(name)}: it has ${names}`, { topic });
    }
    if (name in sizes && !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`${name} must be a whole number, not ${value}`, { topic });
    }
    if (name === durability && durabilityToNumber(value as Durability) < 0) {
      throw new InvalidArgumentError(
        `durability is "written", "replicated" or "flushed", not ${JSON.stringify(value)}`,
        { topic },
      );
    }
  }
}

const TOPIC_CONFIG: { readonly [Name in keyof Required<TopicConfigChange>]: Name } = {
  durability: "durability",
  segmentBytes: "segmentBytes",
  maxBatchBytes: "maxBatchBytes",
  retentionMs: "retentionMs",
  retentionBytes: "retentionBytes",
};

export function checkProduce(request: ProduceRequest, maxBatchBytes: number): void {
  const { topic, partition, expectedOffset, batches } = request;
  checkPartition(topic, partition);
  if (expectedOffset !== undefined && !(Number.isSafeInteger(expectedOffset) && expectedOffset >= 0)) {
    throw new InvalidArgumentError(`expected offset ${expectedOffset} is not an offset`, { topic, partition });
  }
  if (batches.length <= maxBatchBytes) return;
  throw new BatchTooLargeError(
    `${batches.length} bytes of batches in one request exceed the limit of ${maxBatchBytes}: send them in several requests`,
    { topic, partition, expected: maxBatchBytes, actual: batches.length },
  );
}

export function checkConsume({ topic, partition, from, until }: Omit<ConsumeRequest, "maxBytes">): void {
  checkPartition(topic, partition);
  checkPosition(topic, partition, from);
  checkPosition(topic, partition, until);
}

export function checkFetch(request: FetchRequest): void {
  checkConsume(request);
  for (const name of ["maxBytes", "minBytes", "maxWaitMs"] as const) {
    const value = request[name];
    if (value !== undefined && !isUint32(value)) {
      throw new InvalidArgumentError(`${name} must be a whole number, not ${value}`, { topic: request.topic });
    }
  }
}

export function checkListOffsets({ topic, partitions }: ListOffsetsRequest): void {
  for (const { partition, position } of partitions) {
    checkPartition(topic, partition);
    checkPosition(topic, partition, position);
  }
}

export function checkPartition(topic: string, partition: number): void {
  if (isUint32(partition)) return;
  throw new UnknownPartitionError(`there is no partition ${partition}`, { topic, partition });
}

/** Whether a whole number is an offset of the partition is left to the server. */
export function checkPosition(topic: string, partition: number, position: Position | undefined): void {
  if (typeof position === "number" && !Number.isSafeInteger(position)) {
    throw new OffsetOutOfRangeError(`${position} is not an offset`, { topic, partition, offset: position });
  }
  if (typeof position === "object" && !Number.isSafeInteger(position.time)) {
    throw new InvalidArgumentError(`time ${position.time} is not a whole number of ms`, { topic, partition });
  }
}

export function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_UINT32;
}
