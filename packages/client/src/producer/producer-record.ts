import type { Bytes, HeaderInput } from "@logstore/codec";
import type { Time } from "../common/position.js";

/** A record to be appended to a given partition. */
export interface AppendRecord<Input> {
  /** Key of the record, kept with it. Default null. */
  readonly key?: Bytes | null | undefined;
  readonly value: Input;
  /** A Date, or ms since the epoch. Default: now. */
  readonly timestamp?: Time | undefined;
  /** Names and values that travel with the record. Default: none. */
  readonly headers?: readonly HeaderInput[] | undefined;
}

/**
 * A record to be sent to a topic. Records of one key go to one partition and keep their order;
 * records without a key go to the partitions in turn, a batch to each.
 */
export interface ProducerRecord<Input> extends AppendRecord<Input> {
  /** Default: chosen by the key. */
  readonly partition?: number | undefined;
}
