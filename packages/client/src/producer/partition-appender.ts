import {
  BatchTooLargeError,
  BufferFullError,
  ClosedError,
  DeliveryTimeoutError,
  defaultBatchLimits,
  InvalidArgumentError,
  MAX_RECORDS_PER_BATCH,
  RecordBatchBuilder,
  RecordTooLargeError,
  startTimer,
} from "@logstore/codec";
import { type LogApi, PRODUCE_HEADROOM_BYTES, type ProduceAck } from "@logstore/protocol";
import { hasCode, isRetriable, retryDelayMs, sleep } from "../common/retry.js";
import { ValueFormat } from "../common/value-format.js";
import type { AppendAck } from "./append-ack.js";
import { type AppendOptions, checkAppendOptions } from "./append-options.js";
import type { AppendTopic, AppendTopics } from "./append-topics.js";
import { checkRecord, timestampOf } from "./check-record.js";
import { DEFAULT_DELIVERY_TIMEOUT_MS } from "./delivery-options.js";
import type { AppendRecord } from "./producer-record.js";
import { ProducerSequence, randomProducerId } from "./producer-sequence.js";
import { copyOfSealed } from "./sealed-copy.js";

/** Bytes that the appends of a client hold until they are answered. */
export class AppendBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes = 32 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /**
   * A single append may be larger than the whole.
   *
   * @param ownBytes what the same append has taken
   * @throws BufferFullError
   */
  take(bytes: number, ownBytes: number): void {
    if (this.#usedBytes > ownBytes && this.#usedBytes + bytes > this.#maxBytes) {
      throw new BufferFullError(
        `appends of ${this.#usedBytes} bytes wait to be acknowledged, ${bytes} more do not fit into the client's ` +
          `${this.#maxBytes}: await earlier appends before making more`,
        { expected: this.#maxBytes, actual: this.#usedBytes + bytes },
      );
    }
    this.#usedBytes += bytes;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}

/** What an append holds beside its records. */
const APPEND_OVERHEAD_BYTES = 1024;

/** Answers after which the topic is asked for again. */
const TOPIC_CHANGED = ["INCONSISTENT_TOPIC_ID", "UNKNOWN_TOPIC", "BATCH_TOO_LARGE"] as const;

/** What a batch is before it is sealed. */
type Unsealed = Pick<RecordBatchBuilder, "recordCount" | "byteLength">;

/** No topic takes a longer batch, bytes. */
const MAX_BATCH_BYTES = 2 ** 30;

/**
 * Appends to one partition, all records of an append or none, one append after another. An append
 * whose answer was lost is sent again, and the log knows it: an expected offset is not refused for
 * what the first try appended.
 */
export class PartitionAppender {
  readonly #api: LogApi;
  readonly #topics: AppendTopics;
  readonly #topic: string;
  readonly #partition: number;
  readonly #budget: AppendBudget;
  #sequence = new ProducerSequence(randomProducerId());
  /**
   * The id of the topic that the last append went to. An append that expects an offset of that
   * topic is refused by the next one of that name, also where another partition's append has
   * learned the topic anew.
   */
  #topicId: string | undefined;
  readonly #abandoned = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #unsettledCount = 0;

  constructor(api: LogApi, topics: AppendTopics, topic: string, partition: number, budget: AppendBudget) {
    this.#api = api;
    this.#topics = topics;
    this.#topic = topic;
    this.#partition = partition;
    this.#budget = budget;
  }

  async append<Input>(records: readonly AppendRecord<Input>[], options: AppendOptions<Input>): Promise<AppendAck> {
    checkAppendOptions(options);
    const { deliveryTimeoutMs = DEFAULT_DELIVERY_TIMEOUT_MS, compression = "none" } = options;
    const attempt = new Attempt(deliveryTimeoutMs, { topic: this.#topic, partition: this.#partition });
    const hold = new Hold(this.#budget);
    hold.more(APPEND_OVERHEAD_BYTES);
    const encoded = this.#encode(records, options, hold).then(async (builder) => {
      // What is compressed may still fit.
      if (compression === "none") await this.#checkFits(builder.byteLength, builder, attempt);
      return builder;
    });
    encoded.catch(() => hold.release()); // the caller is told below
    const appended = this.#last.then(async () => {
      try {
        // A validator that never ends holds up those behind it no longer than this append may take.
        const builder = await attempt.before(encoded);
        return await this.#send(builder, options, attempt);
      } finally {
        hold.release();
      }
    });
    this.#unsettledCount++;
    this.#last = appended.catch(() => {}).finally(() => this.#unsettledCount--);
    const { baseOffset, nextOffset, durability } = await this.#unlessAbandoned(
      // What cannot be encoded, or does not fit, is refused at once and not in turn.
      attempt.before(encoded.then(() => appended)),
      attempt,
    );
    return { topic: this.#topic, partition: this.#partition, offset: baseOffset, nextOffset, durability };
  }

  /** Whether no append is under way. */
  get isIdle(): boolean {
    return this.#unsettledCount === 0;
  }

  /** Resolves when every append so far is settled. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Gives up what is not settled yet. */
  abandon(): void {
    this.#abandoned.abort();
  }

  async #encode<Input>(
    records: readonly AppendRecord<Input>[],
    options: AppendOptions<Input>,
    hold: Hold,
  ): Promise<RecordBatchBuilder> {
    const format = new ValueFormat(options);
    const builder = new RecordBatchBuilder({
      targetBytes: Number.MAX_SAFE_INTEGER,
      compression: options.compression ?? "none",
      headroomBytes: PRODUCE_HEADROOM_BYTES,
      limits: { maxBatchBytes: MAX_BATCH_BYTES, maxRecordsBytes: MAX_BATCH_BYTES },
    });
    const place = { topic: this.#topic, partition: this.#partition };
    if (!Array.isArray(records) || records.length === 0) {
      throw new InvalidArgumentError("append: records must be a list of at least one record", place);
    }
    for (const record of records as readonly AppendRecord<Input>[]) {
      checkRecord(record);
      const { key = null, value, headers } = record;
      const timestamp = timestampOf(record);
      const valid = format.validate(value);
      if (valid !== undefined) await valid;
      const before = builder.byteLength;
      if (builder.append(key, format.serialize(value), timestamp, headers)) {
        hold.more(builder.byteLength - before);
        continue;
      }
      if (!builder.acceptsTimestamp(timestamp)) {
        throw new InvalidArgumentError(
          `timestamp ${timestamp} is 2^52 ms or more from that of the first record, and an append is one batch: ` +
            "append such records apart",
          place,
        );
      }
      throw new BatchTooLargeError(
        `${records.length} records do not fit into one batch of ${MAX_BATCH_BYTES} bytes and ${MAX_RECORDS_PER_BATCH} records, ` +
          "and an append is all or nothing: append fewer at a time",
        { ...place, expected: MAX_BATCH_BYTES, actual: builder.byteLength },
      );
    }
    return builder;
  }

  async #send<Input>(
    builder: RecordBatchBuilder,
    { expectedOffset, durability }: AppendOptions<Input>,
    attempt: Attempt,
  ): Promise<ProduceAck> {
    if (attempt.isLate || this.#abandoned.signal.aborted) throw attempt.timeoutError();
    let known = await this.#topicNow(attempt);
    const [topic, partition] = [this.#topic, this.#partition];
    const { recordCount, byteLength } = builder;
    const sealed = builder.seal(this.#sequence.stamp(recordCount));
    let isFirst = true;
    const produce = (topicId: string) =>
      this.#untilAnswered(() => {
        const batches = isFirst ? sealed : copyOfSealed(sealed);
        isFirst = false;
        const request = { topic, topicId, partition, durability, expectedOffset };
        return this.#api.produce({ ...request, batches, headroomBytes: PRODUCE_HEADROOM_BYTES });
      }, attempt);
    try {
      await this.#checkFits(sealed.length, { recordCount, byteLength }, attempt);
      attempt.wasSent = true;
      let ack: ProduceAck;
      try {
        ack = await produce(this.#topicId ?? known.topicId);
      } catch (error) {
        // What the client knew was of another partition's appends: nothing was said of this
        // partition in the former topic.
        if (this.#topicId !== undefined || !hasCode(error, "INCONSISTENT_TOPIC_ID")) throw error;
        this.#topics.forget(topic, known);
        known = await this.#topicNow(attempt);
        ack = await produce(known.topicId);
      }
      this.#topicId ??= known.topicId;
      return ack;
    } catch (error) {
      if (TOPIC_CHANGED.some((code) => hasCode(error, code))) this.#topics.forget(topic, known);
      if (hasCode(error, "INCONSISTENT_TOPIC_ID") || hasCode(error, "UNKNOWN_TOPIC")) {
        this.#topicId = undefined;
        this.#sequence = new ProducerSequence(randomProducerId());
        throw error;
      }
      this.#sequence.startAnew(); // nothing can follow what was not appended, or may have been
      throw error;
    }
  }

  /**
   * @throws BatchTooLargeError, RecordTooLargeError where the topic does not take the batch, as it
   * is configured now
   */
  async #checkFits(batchBytes: number, batch: Unsealed, attempt: Attempt): Promise<void> {
    const known = await this.#topicNow(attempt);
    if (this.#refusal(batchBytes, batch, known) === undefined) return;
    this.#topics.forget(this.#topic, known); // the limit may have been raised
    const refusal = this.#refusal(batchBytes, batch, await this.#topicNow(attempt));
    if (refusal !== undefined) throw refusal;
  }

  #refusal(batchBytes: number, { recordCount, byteLength }: Unsealed, { maxBatchBytes }: AppendTopic) {
    const maxUnpackedBytes = Math.max(defaultBatchLimits.maxRecordsBytes, maxBatchBytes);
    const isTooLong = batchBytes > maxBatchBytes;
    if (!isTooLong && byteLength <= maxUnpackedBytes) return undefined;
    const [actual, expected] = isTooLong ? [batchBytes, maxBatchBytes] : [byteLength, maxUnpackedBytes];
    const fields = { topic: this.#topic, partition: this.#partition, expected, actual };
    const unpacked = isTooLong ? "" : " before compression";
    const told = `a batch of ${actual} bytes${unpacked}, and topic ${this.#topic} takes ${expected} (maxBatchBytes)`;
    if (recordCount === 1) return new RecordTooLargeError(`the record makes ${told}: split the value`, fields);
    return new BatchTooLargeError(
      `the ${recordCount} records make ${told}; an append is all or nothing: append fewer at a time`,
      fields,
    );
  }

  #topicNow(attempt: Attempt): Promise<AppendTopic> {
    return this.#untilAnswered(() => this.#topics.learn(this.#topic), attempt);
  }

  async #untilAnswered<Result>(ask: (tries: number) => Promise<Result>, attempt: Attempt): Promise<Result> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#unlessAbandoned(attempt.before(ask(tries)), attempt);
      } catch (error) {
        const pauseMs = retryDelayMs(tries, error);
        if (!isRetriable(error)) throw error;
        if (attempt.leftMs <= pauseMs) throw attempt.timeoutError(error);
        await sleep(pauseMs, this.#abandoned.signal);
        if (this.#abandoned.signal.aborted) throw attempt.timeoutError(error);
      }
    }
  }

  #unlessAbandoned<Result>(result: Promise<Result>, attempt: Attempt): Promise<Result> {
    const { signal } = this.#abandoned;
    return new Promise((resolve, reject) => {
      const abandon = () => reject(attempt.closedError());
      signal.addEventListener("abort", abandon);
      if (signal.aborted) abandon();
      result.then(resolve, reject).finally(() => signal.removeEventListener("abort", abandon));
    });
  }
}

/** One append, and the time that it has. */
class Attempt {
  readonly #timeoutMs: number;
  readonly #place: { readonly topic: string; readonly partition: number };
  readonly #deadline: number;
  wasSent = false;

  constructor(timeoutMs: number, place: { readonly topic: string; readonly partition: number }) {
    this.#timeoutMs = timeoutMs;
    this.#place = place;
    this.#deadline = performance.now() + timeoutMs;
  }

  get leftMs(): number {
    return this.#deadline - performance.now();
  }

  get isLate(): boolean {
    return this.leftMs <= 0;
  }

  /** The result, unless it is not there in time. */
  before<Result>(result: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = startTimer(this.leftMs, () => reject(this.timeoutError()));
      result.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  timeoutError(cause?: unknown): DeliveryTimeoutError {
    const reason = cause instanceof Error ? `: ${cause.message}` : "";
    return new DeliveryTimeoutError(
      `no acknowledgement within ${this.#timeoutMs} ms${reason}: ${this.#outcome}`,
      this.#place,
      { cause },
    );
  }

  closedError(): ClosedError {
    return new ClosedError(`the client was closed before the append was acknowledged: ${this.#outcome}`, this.#place);
  }

  get #outcome(): string {
    if (this.wasSent) return "the records may or may not have been appended";
    return "the records were not sent, earlier appends to the partition were in their way";
  }
}

/** What one append holds of the budget. */
class Hold {
  readonly #budget: AppendBudget;
  #bytes = 0;
  #isOver = false;

  constructor(budget: AppendBudget) {
    this.#budget = budget;
  }

  /** @throws BufferFullError */
  more(bytes: number): void {
    if (this.#isOver) return;
    this.#budget.take(bytes, this.#bytes);
    this.#bytes += bytes;
  }

  release(): void {
    this.#isOver = true;
    this.#budget.release(this.#bytes);
    this.#bytes = 0;
  }
}
