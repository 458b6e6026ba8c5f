import type { Consumer, ConsumerRecord, RecordContext } from "@logstore/client";
import { BaseRpcContext } from "@nestjs/microservices";

/** The context of an event, in addition to its data. Inject it with `@Ctx()`. */
export class LogStoreContext extends BaseRpcContext<
  [record: ConsumerRecord<unknown, Uint8Array>, attempt: RecordContext, consumer: Consumer<unknown>]
> {
  /** @internal Created for each attempt to process a record. */
  constructor(record: ConsumerRecord<unknown, Uint8Array>, attempt: RecordContext, consumer: Consumer<unknown>) {
    super([record, attempt, consumer]);
  }

  /**
   * The record: key, headers, timestamp, partition and offset. Its bytes are views: copy them to
   * keep them.
   */
  getRecord(): ConsumerRecord<unknown, Uint8Array> {
    return this.args[0];
  }

  /** Name of the topic. */
  getTopic(): string {
    return this.args[0].topic;
  }

  /** Index of the partition. */
  getPartition(): number {
    return this.args[0].partition;
  }

  /** Offset of the record in its partition. */
  getOffset(): number {
    return this.args[0].offset;
  }

  /** The key as text; null for a record without one. */
  getKey(): string | null {
    const { key } = this.args[0];
    return key && new TextDecoder().decode(key);
  }

  /** Number of the attempt to process the record, from 1. */
  getAttempt(): number {
    return this.args[1].attempt;
  }

  /** Aborts when the result no longer counts: the partition was lost, or the application closes. */
  getSignal(): AbortSignal {
    return this.args[1].signal;
  }

  /** The member of the group, for its position and its lag. */
  getConsumer(): Consumer<unknown> {
    return this.args[2];
  }
}
