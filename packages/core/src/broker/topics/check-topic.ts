import { InconsistentTopicIdError, InvalidArgumentError, TopicExistsError } from "@logstore/codec";
import type { Topic } from "../../engine/topic-catalogue.js";

const MAX_PARTITIONS = 1_000_000;

/** @throws InvalidArgumentError */
export function checkPartitions(topic: string, partitions: number): void {
  if (!Number.isSafeInteger(partitions)) {
    throw new InvalidArgumentError(`a topic has a whole number of partitions, not ${partitions}`, { topic });
  }
  if (partitions >= 1 && partitions <= MAX_PARTITIONS) return;
  throw new InvalidArgumentError(`partitions is a whole number from 1 to ${MAX_PARTITIONS}, not ${partitions}`, {
    topic,
  });
}

/** @throws TopicExistsError if an existing topic has a different number of partitions */
export function checkSamePartitions({ topic, partitionCount }: Topic, partitions: number): void {
  if (partitionCount === partitions) return;
  throw new TopicExistsError(`topic ${topic} exists already, with ${partitionCount} partitions, not ${partitions}`, {
    topic,
    expected: partitions,
    actual: partitionCount,
  });
}

/**
 * @param expected undefined or empty is not checked
 * @throws InconsistentTopicIdError
 */
export function checkTopicId({ topic, id }: Topic, expected: string | undefined): void {
  if (!expected || expected === id) return;
  throw new InconsistentTopicIdError(
    `topic ${topic} has id ${id}, not ${expected.slice(0, 100)}: it was deleted and made again; describe it to learn what it is now`,
    { topic },
  );
}
