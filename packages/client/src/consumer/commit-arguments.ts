import { InvalidArgumentError, shown } from "@logstore/codec";
import type { ConsumerBatch } from "../reader/consumer-batch.js";
import type { ConsumerRecord } from "../reader/consumer-record.js";

/** A record or a batch that a consumer delivered. */
export type Delivered = ConsumerRecord<unknown, unknown> | ConsumerBatch<unknown, unknown>;

/** The offset that one call of `consumer.commit()` commits. */
export interface CommitArguments {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * The offset after a record, or after the last record of a batch.
 *
 * @throws InvalidArgumentError for anything that is neither a record nor a batch
 */
export function offsetAfter(processed: Delivered): CommitArguments {
  const {
    topic,
    partition,
    offset,
    nextOffset = (offset ?? Number.NaN) + 1,
  } = Object(processed) as {
    readonly topic: string;
    readonly partition: number;
    readonly offset?: number;
    readonly nextOffset?: number;
  };
  if (typeof topic === "string" && Number.isSafeInteger(partition) && Number.isSafeInteger(nextOffset)) {
    return { topic, partition, offset: nextOffset };
  }
  throw new InvalidArgumentError(
    `commit takes a record or a batch from a consumer, or a topic, a partition and an offset, not ${shown(processed)}`,
  );
}
