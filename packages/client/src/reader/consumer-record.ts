import { type Header, InvalidValueError, type RecordCursor } from "@logstore/codec";
import type { Serializer } from "../common/serializers.js";
import { type FormatToReceive, ValueFormat, type ValueOptions } from "../common/value-format.js";
import type { PartitionState } from "./partition-state.js";

/**
 * A record that was read. Its bytes are views of the buffer that contains its batch. Copy bytes
 * that are kept for long, because a view keeps the whole buffer in memory.
 */
export interface ConsumerRecord<T = Uint8Array, K = Uint8Array> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** ms since the epoch, as the producer set it. */
  readonly timestamp: number;
  readonly key: K | null;
  readonly value: T;
  readonly headers: readonly Header[];
}

/** The format of the records to read. */
export interface RecordFormatOptions<T, K> extends ValueOptions<T, unknown> {
  /** Deserializes keys. Default: `bytes()`. */
  readonly key?: Serializer<K, unknown> | undefined;
}

/** What options must name so that values of type `T` and keys of type `K` can be received. */
export type RecordFormatToReceive<T, K> = FormatToReceive<T> &
  ([Uint8Array] extends [K] ? unknown : { readonly key: Serializer<K, unknown> });

/** An encoded record: a cursor, or a record of bytes. */
type Encoded = Pick<RecordCursor, "offset" | "timestamp" | "key" | "value" | "headers">;

/** Decodes records. */
export class RecordFormat<T, K> {
  readonly #keys: ValueFormat<K, unknown>;
  readonly #values: ValueFormat<T, unknown>;

  constructor({ schema, value, key }: RecordFormatOptions<T, K>) {
    this.#values = new ValueFormat({ schema, value });
    this.#keys = new ValueFormat({ value: key });
  }

  /**
   * Returns a promise only if the schema is async.
   *
   * @throws InvalidValueError with topic, partition and offset
   */
  decode(cursor: Encoded, state: PartitionState): ConsumerRecord<T, K> | Promise<ConsumerRecord<T, K>> {
    const { topic, partition } = state;
    const { offset, timestamp, key: storedKey, headers } = cursor;
    try {
      // Keys have no schema, so that decoding them is never async.
      const key = storedKey && (this.#keys.deserialize(storedKey) as K);
      const value = this.#values.deserialize(cursor.value);
      if (!(value instanceof Promise)) return { topic, partition, offset, timestamp, key, value, headers };
      return value.then(
        (value) => ({ topic, partition, offset, timestamp, key, value, headers }),
        (error: unknown) => {
          throw placed(error, state, offset);
        },
      );
    } catch (error) {
      throw placed(error, state, offset);
    }
  }
}

function placed(error: unknown, state: PartitionState, offset: number): unknown {
  return error instanceof InvalidValueError ? state.place(error, { offset }) : error;
}
