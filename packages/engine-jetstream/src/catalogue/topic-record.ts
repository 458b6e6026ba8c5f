/** A topic as it is stored in the bucket. See docs/format/jetstream.md. */
import { LogStoreError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/core/engine";
import { topicKey } from "../nats/names.js";
import { decodeVersioned, encodeVersioned } from "../nats/versioned-json.js";

export interface TopicRecord {
  /** UUID. */
  readonly id: string;
  readonly partitions: number;
  readonly partitioner: string;
  readonly config: TopicConfig;
}

export function encodeTopic(record: TopicRecord): Uint8Array {
  return encodeVersioned(record);
}

/** @throws NotALogStoreError, UnsupportedFormatVersionError */
export function decodeTopic(topic: string, value: Uint8Array): TopicRecord {
  try {
    return decodeVersioned<TopicRecord>(topicKey(topic), value);
  } catch (error) {
    throw error instanceof LogStoreError ? error.with({ topic }) : error;
  }
}
