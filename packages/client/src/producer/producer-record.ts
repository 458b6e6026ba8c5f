import type { Bytes, HeaderInput } from "@logstore/codec";
import type { Time } from "../common/position.js";

/** A record to append to a given partition. */
export interface AppendRecord<Input> {
  /** Key of the record. Default null. */
  readonly key?: Bytes | null | undefined;
  readonly value: Input;
  /**
   * A Date, or ms since the epoch. Default: the time of the call, which is read once in a turn of
   * the event loop.
   */
  readonly timestamp?: Time | undefined;
  /** Names and values that are stored with the record. Default: none. */
  readonly headers?: readonly HeaderInput[] | undefined;
}

/**
 * A record to send to a topic. Records of one key go to one partition and keep their order; records
 * without a key are spread over the partitions, a batch to each in turn.
 */
export interface ProducerRecord<Input> extends AppendRecord<Input> {
  /** Partition of the record, a whole number from 0 on. Default: chosen by the key. */
  readonly partition?: number | undefined;
}
