/**
 * Protobuf would make other numbers of some: -1 of a partition a very large one, 1.5 a whole one. They are refused here, with
 * the errors that a broker in this process gives.
 */
import {
  BatchTooLargeError,
  defaultBatchLimits,
  InvalidArgumentError,
  OffsetOutOfRangeError,
  UnknownPartitionError,
} from "@logstore/codec";
import type {
  ConsumeRequest,
  CreateTopicRequest,
  ListOffsetsRequest,
  Position,
  ProduceRequest,
} from "@logstore/protocol";

const MAX_UINT32 = 2 ** 32 - 1;

export function checkCreateTopic({ topic, partitions }: CreateTopicRequest): void {
  if (isUint32(partitions)) return;
  throw new InvalidArgumentError(`a topic has a whole number of partitions, not ${partitions}`, { topic });
}

export function checkProduce({ topic, partition, expectedOffset, batches }: ProduceRequest): void {
  checkPartition(topic, partition);
  if (expectedOffset !== undefined && !(Number.isSafeInteger(expectedOffset) && expectedOffset >= 0)) {
    throw new InvalidArgumentError(`expected offset ${expectedOffset} is not an offset`, { topic, partition });
  }
  const { maxBatchBytes } = defaultBatchLimits;
  if (batches.length <= maxBatchBytes) return;
  throw new BatchTooLargeError(
    `${batches.length} bytes of batches in one request, and ${maxBatchBytes} are allowed: send them apart`,
    { topic, partition, expected: maxBatchBytes, actual: batches.length },
  );
}

export function checkConsume({ topic, partition, from, until }: ConsumeRequest): void {
  checkPartition(topic, partition);
  checkPosition(topic, partition, from);
  checkPosition(topic, partition, until);
}

export function checkListOffsets({ topic, partitions }: ListOffsetsRequest): void {
  for (const { partition, position } of partitions) {
    checkPartition(topic, partition);
    checkPosition(topic, partition, position);
  }
}

function checkPartition(topic: string, partition: number): void {
  if (isUint32(partition)) return;
  throw new UnknownPartitionError(`there is no partition ${partition}`, { topic, partition });
}

/** An offset that is a whole number is left to the server, who knows which there are. */
function checkPosition(topic: string, partition: number, position: Position | undefined): void {
  if (typeof position === "number" && !Number.isSafeInteger(position)) {
    throw new OffsetOutOfRangeError(`${position} is not an offset`, { topic, partition, offset: position });
  }
  if (typeof position === "object" && !Number.isSafeInteger(position.time)) {
    throw new InvalidArgumentError(`time ${position.time} is not a whole number of ms`, { topic, partition });
  }
}

function isUint32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_UINT32;
}
