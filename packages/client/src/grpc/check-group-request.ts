/** What protobuf would make other numbers of is refused here, with the errors that a broker in this process gives. */
import { InvalidArgumentError, OffsetOutOfRangeError } from "@logstore/codec";
import type { CommitOffsetsRequest, JoinGroupRequest, ResetOffsetsRequest, TopicPartition } from "@logstore/protocol";
import { checkPartition, checkPosition, isUint32 } from "./check-request.js";

export function checkJoin({ group, sessionTimeoutMs, revokeTimeoutMs }: JoinGroupRequest): void {
  for (const [name, value] of Object.entries({ sessionTimeoutMs, revokeTimeoutMs })) {
    if (value === undefined || (isUint32(value) && value > 0)) continue;
    throw new InvalidArgumentError(`${name} is a whole number of ms, not ${value}`, { group });
  }
}

export function checkCommit({ group, offsets }: CommitOffsetsRequest): void {
  for (const { topic, partition, offset } of offsets) {
    checkPartition(topic, partition);
    if (Number.isSafeInteger(offset) && offset >= 0) continue;
    throw new OffsetOutOfRangeError(`${offset} is not an offset`, { group, topic, partition, offset });
  }
}

export function checkReset({ group, partitions, to }: ResetOffsetsRequest): void {
  checkPartitions(partitions);
  if (typeof to === "object" && "shiftBy" in to) {
    if (Number.isSafeInteger(to.shiftBy)) return;
    throw new InvalidArgumentError(`shiftBy is a whole number of records, not ${to.shiftBy}`, { group });
  }
  checkPosition("", 0, to);
}

export function checkPartitions(partitions: readonly TopicPartition[] | undefined): void {
  for (const { topic, partition } of partitions ?? []) checkPartition(topic, partition);
}
