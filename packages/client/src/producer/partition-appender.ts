import type { RecordBatchBuilder } from "@logstore/codec";
import type { LogApi, ProduceAck } from "@logstore/protocol";
import { hasCode } from "../common/retry.js";
import type { AppendAck } from "./append-ack.js";
import { AppendAttempt } from "./append-attempt.js";
import { encodeRecords, refusalOf, type Unsealed } from "./append-batch.js";
import { type AppendBudget, Hold } from "./append-budget.js";
import { type AppendOptions, checkAppendOptions } from "./append-options.js";
import type { AppendTopic, AppendTopics } from "./append-topics.js";
import { requestOf } from "./delivery.js";
import { DEFAULT_DELIVERY_TIMEOUT_MS } from "./delivery-options.js";
import type { AppendRecord } from "./producer-record.js";
import { ProducerSequence, randomProducerId } from "./producer-sequence.js";

/** Bytes counted for an append in addition to its records. */
const APPEND_OVERHEAD_BYTES = 1024;

/** Errors after which the topic is described again. */
const TOPIC_CHANGED = ["INCONSISTENT_TOPIC_ID", "UNKNOWN_TOPIC", "BATCH_TOO_LARGE"] as const;

/**
 * Appends to one partition, one append after another, each of them as a whole or not at all. An
 * append whose response was lost is sent again, and the log recognizes it: the expected offset is
 * not refused because of what the first attempt appended.
 */
export class PartitionAppender {
  readonly #api: LogApi;
  readonly #topics: AppendTopics;
  readonly #topic: string;
  readonly #partition: number;
  readonly #budget: AppendBudget;
  #sequence = new ProducerSequence(randomProducerId());
  /**
   * Id of the topic of the last append. An append that expects an offset of this topic is refused
   * by a later topic of the same name, even if the appender of another partition has already
   * described that one.
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
    const place = { topic: this.#topic, partition: this.#partition };
    const attempt = new AppendAttempt(deliveryTimeoutMs, place, this.#abandoned.signal);
    const hold = new Hold(this.#budget);
    hold.more(APPEND_OVERHEAD_BYTES);
    const encoded = encodeRecords(records, options, place, hold).then(async (builder) => {
      // Compressed records may still fit.
      if (compression === "none") await this.#checkFits(builder.byteLength, builder, attempt);
      return builder;
    });
    encoded.catch(() => hold.release()); // reported to the caller below
    const appended = this.#last.then(async () => {
      try {
        // A validator that never finishes delays later appends only until this one's deadline.
        const builder = await attempt.before(encoded);
        return await this.#send(builder, options, attempt);
      } finally {
        hold.release();
      }
    });
    this.#unsettledCount++;
    this.#last = appended.catch(() => {}).finally(() => this.#unsettledCount--);
    const { baseOffset, nextOffset, durability } = await attempt.unlessAbandoned(
      // Records that cannot be encoded or do not fit are refused at once, not in turn.
      attempt.before(encoded.then(() => appended)),
    );
    return { ...place, offset: baseOffset, nextOffset, durability };
  }

  /** Whether no append is in progress. */
  get isIdle(): boolean {
    return this.#unsettledCount === 0;
  }

  /** Resolves when every append so far is settled. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Rejects every append that is not settled yet. */
  abandon(): void {
    this.#abandoned.abort();
  }

  async #send<Input>(
    builder: RecordBatchBuilder,
    { expectedOffset, durability }: AppendOptions<Input>,
    attempt: AppendAttempt,
  ): Promise<ProduceAck> {
    if (attempt.isLate || this.#abandoned.signal.aborted) throw attempt.timeoutError();
    let known = await this.#topicNow(attempt);
    const [topic, partition] = [this.#topic, this.#partition];
    const { recordCount, byteLength } = builder;
    const sealed = builder.seal(this.#sequence.stamp(recordCount));
    let isFirstTry = true;
    const produce = (topicId: string) =>
      attempt.untilAnswered(() => {
        const request = requestOf({ topic, topicId, partition, durability, expectedOffset }, sealed, isFirstTry);
        isFirstTry = false;
        return this.#api.produce(request);
      });
    try {
      await this.#checkFits(sealed.length, { recordCount, byteLength }, attempt);
      attempt.wasSent = true;
      let ack: ProduceAck;
      try {
        ack = await produce(this.#topicId ?? known.topicId);
      } catch (error) {
        // The cached topic id came from another partition's appends: this partition has appended
        // nothing to the deleted topic.
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
      this.#sequence.startAnew(); // the sequence cannot continue after a batch that may be missing
      throw error;
    }
  }

  /**
   * @throws BatchTooLargeError, RecordTooLargeError where the batch is too large for the topic as
   * it is configured now
   */
  async #checkFits(batchBytes: number, batch: Unsealed, attempt: AppendAttempt): Promise<void> {
    const place = { topic: this.#topic, partition: this.#partition };
    const known = await this.#topicNow(attempt);
    if (refusalOf(batchBytes, batch, known.maxBatchBytes, place) === undefined) return;
    this.#topics.forget(this.#topic, known); // the limit may have been raised
    const { maxBatchBytes } = await this.#topicNow(attempt);
    const refusal = refusalOf(batchBytes, batch, maxBatchBytes, place);
    if (refusal !== undefined) throw refusal;
  }

  #topicNow(attempt: AppendAttempt): Promise<AppendTopic> {
    return attempt.untilAnswered(() => this.#topics.learn(this.#topic));
  }
}
