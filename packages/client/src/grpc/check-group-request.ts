/**
 * Refuses numbers that protobuf would silently change, with the errors that an embedded broker
 * gives.
 */
import { InvalidArgumentError } from "@logstore/codec";
import type { CommitOffsetsRequest, JoinGroupRequest, ResetOffsetsRequest, TopicPartition } from "@logstore/protocol";
import { checkPartition, isUint32 } from "./check-request.js";

export function checkJoin({ group, sessionTimeoutMs, revokeTimeoutMs }: JoinGroupRequest): void {
  for (const [name, value] of Object.entries({ sessionTimeoutMs, revokeTimeoutMs })) {
    if (value === undefined || (isUint32(value) && value > 0)) continue;
    throw new InvalidArgumentError(`${name} must be a whole number of ms greater than 0, not ${value}`, { group });
  }
}

export function checkCommit({ group, offsets }: CommitOffsetsRequest): void {
  for (const { topic, partition, offset } of offsets) {
    checkPartition(topic, partition);
    if (Number.isSafeInteger(offset) && offset >= 0) continue;
    throw new InvalidArgumentError(`${offset} is not an offset`, { group, topic, partition });
  }
}

export function checkReset({ group, partitions, to }: ResetOffsetsRequest): void {
  checkPartitions(partitions);
  const number = typeof to === "number" ? to : typeof to !== "object" ? 0 : "shiftBy" in to ? to.shiftBy : to.time;
  if (Number.isSafeInteger(number)) return;
  throw new InvalidArgumentError(`the target of a reset must be a whole number, not ${number}`, { group });
}

export function checkPartitions(partitions: readonly TopicPartition[] | undefined): void {
  for (const { topic, partition } of partitions ?? []) checkPartition(topic, partition);
}
