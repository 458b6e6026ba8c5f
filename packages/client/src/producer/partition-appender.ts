import { BatchTooLargeError, DeliveryTimeoutError, InvalidArgumentError, RecordBatchBuilder } from "@logstore/codec";
import { type Durability, type LogApi, PRODUCE_HEADROOM_BYTES, type ProduceAck } from "@logstore/protocol";
import { backoffMs, isRetriable, sleep } from "../retry.js";
import { ValueFormat, type ValueOptions } from "../value-format.js";
import type { ProducerRecord } from "./producer.js";
import { ProducerSequence, randomProducerId } from "./producer-sequence.js";
import { copyOfSealed } from "./sealed-copy.js";

export interface AppendOptions<Input> extends ValueOptions<unknown, Input> {
  /** The append is refused unless this is the partition's log end offset: nobody else has appended since it was looked at. */
  readonly expectedOffset?: number | undefined;
  /** What the answer means. Default: the topic's, which is "flushed" unless it was set otherwise. */
  readonly durability?: Durability | undefined;
  /** Default "none". */
  readonly compression?: "none" | "gzip" | "zstd" | undefined;
  /** ms after which an append without an answer is given up. Default 120,000. */
  readonly deliveryTimeoutMs?: number | undefined;
}

/** Where records were appended, one after another, and how safe they are there. */
export interface AppendAck {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: number;
  /** One past the last one: what to expect in the next append. */
  readonly nextOffset: number;
  readonly durability: Durability;
}

const never = new AbortController().signal;

/**
 * Appends to one partition, all records of an append or none, one append after another. An append whose answer was lost is sent
 * again, and the log knows it: an expected offset is not refused for what the first try appended.
 */
export class PartitionAppender {
  readonly #api: LogApi;
  readonly #topic: string;
  readonly #partition: number;
  readonly #sequence = new ProducerSequence(randomProducerId());
  #last: Promise<unknown> = Promise.resolve();

  constructor(api: LogApi, topic: string, partition: number) {
    this.#api = api;
    this.#topic = topic;
    this.#partition = partition;
  }

  async append<Input>(
    records: readonly Omit<ProducerRecord<Input>, "partition">[],
    options: AppendOptions<Input>,
  ): Promise<AppendAck> {
    const encoded = this.#encode(records, options);
    encoded.catch(() => {}); // told below, in turn
    const appended = this.#last.then(async () => this.#send(await encoded, options));
    this.#last = appended.catch(() => {});
    const { baseOffset, nextOffset, durability } = await appended;
    return { topic: this.#topic, partition: this.#partition, firstOffset: baseOffset, nextOffset, durability };
  }

  async #encode<Input>(
    records: readonly Omit<ProducerRecord<Input>, "partition">[],
    options: AppendOptions<Input>,
  ): Promise<RecordBatchBuilder> {
    const format = new ValueFormat(options);
    const builder = new RecordBatchBuilder({
      targetBytes: Number.MAX_SAFE_INTEGER,
      compression: options.compression ?? "none",
      headroomBytes: PRODUCE_HEADROOM_BYTES,
    });
    const place = { topic: this.#topic, partition: this.#partition };
    if (records.length === 0) throw new InvalidArgumentError("an append needs at least one record", place);
    for (const { key = null, value, timestamp = Date.now(), headers } of records) {
      const valid = format.validate(value);
      if (valid !== undefined) await valid;
      if (builder.append(key, format.serialize(value), timestamp, headers)) continue;
      throw new BatchTooLargeError(
        `${records.length} records do not fit into one batch, and an append is all or nothing: append fewer at a time`,
        { ...place, actual: builder.byteLength },
      );
    }
    return builder;
  }

  async #send<Input>(builder: RecordBatchBuilder, options: AppendOptions<Input>): Promise<ProduceAck> {
    const { expectedOffset, durability, deliveryTimeoutMs = 120_000 } = options;
    const deadline = performance.now() + deliveryTimeoutMs;
    const sealed = builder.seal(this.#sequence.stamp(builder.recordCount));
    const request = { topic: this.#topic, partition: this.#partition, durability, expectedOffset };
    try {
      for (let attempt = 0; ; attempt++) {
        const batches = attempt === 0 ? sealed : copyOfSealed(sealed);
        const produced = this.#api.produce({ ...request, batches, headroomBytes: PRODUCE_HEADROOM_BYTES });
        try {
          return await this.#before(deadline, produced);
        } catch (error) {
          const pause = backoffMs(attempt);
          if (!isRetriable(error)) throw error;
          if (performance.now() + pause >= deadline) throw this.#timeoutError(deliveryTimeoutMs, error);
          await sleep(pause, never);
        }
      }
    } catch (error) {
      this.#sequence.startAnew(); // nothing can follow what was not appended, or may have been
      throw error;
    }
  }

  #before(deadline: number, produced: Promise<ProduceAck>): Promise<ProduceAck> {
    return new Promise((resolve, reject) => {
      const expire = () => reject(this.#timeoutError(Math.round(deadline - begun), undefined));
      const begun = performance.now();
      const timer = setTimeout(expire, Math.max(0, deadline - begun));
      produced.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  #timeoutError(timeoutMs: number, cause: unknown): DeliveryTimeoutError {
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    return new DeliveryTimeoutError(
      `no acknowledgement within ${timeoutMs} ms${reason}: the records may or may not have been appended`,
      { topic: this.#topic, partition: this.#partition },
      { cause },
    );
  }
}
