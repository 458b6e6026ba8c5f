import { type Bytes, ClosedError, DeliveryTimeoutError, InvalidArgumentError, shown } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { type CloseOptions, checkCloseOptions, type Registry, settledWithin } from "../common/registry.js";
import { ValueFormat } from "../common/value-format.js";
import { DURABILITY, MESSAGE_COUNT, OFFSET, PARTITION_ID } from "../telemetry/conventions.js";
import { isTracing } from "../telemetry/record-context.js";
import { SendSpan } from "../telemetry/send-span.js";
import type { AppendAck } from "./append-ack.js";
import { BufferBudget, DEFAULT_BATCH_BYTES } from "./buffer-budget.js";
import { checkRecord } from "./check-record.js";
import { DEFAULT_DELIVERY_TIMEOUT_MS } from "./delivery-options.js";
import { type Entry, entryOf } from "./entry.js";
import { checkProducerOptions, type ProducerOptions } from "./producer-options.js";
import type { ProducerRecord } from "./producer-record.js";
import { RecordQueue } from "./record-queue.js";
import { SendManyOutcome, type SendManyResult } from "./send-many.js";
import { type ProducerTarget, TopicSenders } from "./topic-senders.js";

/** The result of `ready()` where there is nothing to wait for. */
const READY = Promise.resolve();

/**
 * Appends records to one topic, in batches that form by themselves. Each record is appended once,
 * across reconnects as well.
 *
 * A topic that is deleted and created anew is another topic. Records that wait for the deleted
 * topic are refused with an InconsistentTopicIdError (an UnknownTopicError while there is no topic
 * of the name). None of them is appended to the new topic, where their keys may belong to other
 * partitions. Records that are sent later go to the new topic.
 */
export class Producer<Input = Bytes> implements AsyncDisposable {
  readonly topic: string;
  readonly #format: ValueFormat<unknown, Input>;
  readonly #deliveryTimeoutMs: number;
  readonly #budget: BufferBudget;
  readonly #senders: TopicSenders;
  readonly #queue: RecordQueue;
  readonly #registry: Registry;
  #closing: Promise<void> | undefined;

  /**
   * @internal Made by `client.producer()`.
   *
   * @param target default: any topic of the name, with the durability of the options
   */
  constructor(
    api: LogApi,
    topic: string,
    options: ProducerOptions<Input>,
    registry: Registry,
    target: ProducerTarget = {},
  ) {
    checkProducerOptions(options);
    this.topic = topic;
    this.#format = new ValueFormat(options);
    this.#deliveryTimeoutMs = options.deliveryTimeoutMs ?? DEFAULT_DELIVERY_TIMEOUT_MS;
    const { batchBytes = DEFAULT_BATCH_BYTES } = options;
    this.#budget = new BufferBudget(options.maxBufferedBytes ?? 32 * 1024 * 1024, batchBytes);
    const senderOptions = {
      lingerMs: options.lingerMs ?? 0,
      batchBytes,
      deliveryTimeoutMs: this.#deliveryTimeoutMs,
      compression: options.compression ?? "none",
      durability: options.durability,
    };
    this.#senders = new TopicSenders(api, { topic, ...target }, senderOptions, {
      released: (bytes) => this.#budget.release(bytes),
      described: (partitionCount) => {
        this.#budget.partitionCount = partitionCount;
      },
    });
    this.#queue = new RecordQueue(this.#senders, {
      topic,
      timeoutMs: this.#deliveryTimeoutMs,
      refused: (entry, error) => this.#refuse(entry, error),
    });
    this.#registry = registry;
    registry.addWriter(this);
  }

  /**
   * Sends a record. Resolves when it is appended with the requested durability. Rejects with
   * - InvalidValueError, RecordTooLargeError, UnknownTopicError, UnknownPartitionError: the record
   *   was not sent;
   * - InconsistentTopicIdError: the topic was deleted and created anew, and the record is not in
   *   the new topic; send it again to append it there;
   * - BufferFullError: `maxBufferedBytes` are in use, and the record was not sent;
   * - DeliveryTimeoutError: no acknowledgement arrived within `deliveryTimeoutMs`, and the record
   *   may or may not have been appended;
   * - OutOfOrderSequenceError: the record was not appended, because an earlier one of its partition
   *   was lost;
   * - ClosedError; other errors of the server.
   */
  send(record: ProducerRecord<Input>): Promise<AppendAck> {
    if (!isTracing()) return this.#send(record);
    const span = new SendSpan(this.topic);
    return span.follow(this.#send(span.mark(record)), ({ partition, offset, durability }) => ({
      [PARTITION_ID]: String(partition),
      [OFFSET]: offset,
      [DURABILITY]: durability,
    }));
  }

  #send(record: ProducerRecord<Input>): Promise<AppendAck> {
    try {
      this.#checkOpen();
      checkRecord(record);
      const valid = this.#format.validate(record.value);
      valid?.catch(() => {}); // reported later, unless the record is refused for another reason first
      const entry = entryOf(record, this.#format, undefined);
      this.#budget.take(entry.bytes);
      return this.#queue.add(entry, valid)!;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Resolves when at most half of `maxBufferedBytes` is in use, and no more than keeps the topic's
   * partitions busy, which is some batches for each. It lets the event loop run now and then, so
   * that a loop of `send` and `ready` does not keep batches from being sent.
   */
  ready(): Promise<void> {
    return this.#budget.isReady && !this.#budget.isTurnDue ? READY : this.#becomeReady();
  }

  async #becomeReady(): Promise<void> {
    await this.#budget.turn();
    if (this.#budget.isReady) return;
    await this.#endLinger();
    await this.#budget.ready();
  }

  /**
   * Sends every record of an iterable, which is read only as fast as records can be buffered.
   * Resolves when all are acknowledged. After a failure no further record is read; the promise
   * rejects with the first error once every record read so far is settled.
   *
   * ```ts
   * const { count } = await producer.sendMany([{ value: "first" }, { value: "second" }]);
   * ```
   */
  async sendMany(
    records: Iterable<ProducerRecord<Input>> | AsyncIterable<ProducerRecord<Input>>,
  ): Promise<SendManyResult> {
    if (!isTracing()) return this.#sendMany(records);
    const span = new SendSpan(this.topic);
    return span.follow(this.#sendMany(span.markAll(records)), ({ count }) => ({ [MESSAGE_COUNT]: count }));
  }

  async #sendMany(
    records: Iterable<ProducerRecord<Input>> | AsyncIterable<ProducerRecord<Input>>,
  ): Promise<SendManyResult> {
    const isIterable = Symbol.asyncIterator in Object(records) || Symbol.iterator in Object(records);
    if (!isIterable || typeof records === "string") {
      throw new InvalidArgumentError(`sendMany takes an iterable of records, not ${shown(records)}`, {
        topic: this.topic,
      });
    }
    const outcome = new SendManyOutcome();
    try {
      // Loops that await every record would spend most of their time on that.
      if (Symbol.asyncIterator in records) {
        for await (const record of records) {
          const taken = this.#takeOneOfMany(record, outcome);
          if (taken !== true && !(await taken)) break;
        }
      } else {
        for (const record of records) {
          const taken = this.#takeOneOfMany(record, outcome);
          if (taken !== true && !(await taken)) break;
        }
      }
    } catch (error) {
      outcome.fail(error);
    }
    await this.#hurry();
    return outcome.result(this.topic);
  }

  /** Resolves when every record accepted so far is settled, acknowledged or not. */
  async flush(): Promise<void> {
    await this.#queue.emptied;
    await this.#senders.flush();
  }

  /**
   * Refuses further records, and resolves when every record accepted so far is settled, which takes
   * at most its `deliveryTimeoutMs`. After `timeoutMs`, records that are not settled are rejected
   * with a DeliveryTimeoutError, and may or may not have been appended. Default of `timeoutMs`: a
   * second more than `deliveryTimeoutMs`; 120,000 if that is Infinity.
   *
   * @throws InvalidArgumentError
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    this.#closing ??= this.flush().finally(() => this.#registry.delete(this));
    const { timeoutMs = this.#closeTimeoutMs } = options;
    if (await settledWithin(this.#closing, timeoutMs)) return this.#closing;
    this.#abandon(
      new DeliveryTimeoutError(
        `no acknowledgement within ${timeoutMs} ms of the close: the record may or may not have been appended`,
        { topic: this.topic },
      ),
    );
    this.#registry.delete(this);
  }

  /** The extra second lets the records' own deadlines pass first. */
  get #closeTimeoutMs(): number {
    const deliveryTimeoutMs = this.#deliveryTimeoutMs;
    return deliveryTimeoutMs === Number.POSITIVE_INFINITY ? DEFAULT_DELIVERY_TIMEOUT_MS : deliveryTimeoutMs + 1_000;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #abandon(error: unknown): void {
    this.#queue.abandon(error);
    this.#senders.abandon(error);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError("the producer is closed", { topic: this.topic });
  }

  /**
   * Returns false if an earlier record has failed, and a promise only if something has to be
   * awaited.
   */
  #takeOneOfMany(record: ProducerRecord<Input>, outcome: SendManyOutcome): boolean | Promise<boolean> {
    if (outcome.hasFailed) return false;
    this.#checkOpen();
    checkRecord(record);
    const valid = this.#format.validate(record.value);
    if (valid !== undefined) return valid.then(() => this.#takeWithRoom(record, outcome));
    return this.#takeWithRoom(record, outcome);
  }

  #takeWithRoom(record: ProducerRecord<Input>, outcome: SendManyOutcome): true | Promise<true> {
    const entry = entryOf(record, this.#format, outcome);
    const isDelayed = this.#budget.isTurnDue || !this.#budget.fits(entry.bytes);
    return isDelayed ? this.#takeLater(entry, outcome) : this.#take(entry, outcome);
  }

  async #takeLater(entry: Entry, outcome: SendManyOutcome): Promise<true> {
    await this.#budget.turn();
    if (!this.#budget.isReady || !this.#budget.fits(entry.bytes)) await this.#endLinger();
    await this.#budget.room(entry.bytes);
    return this.#take(entry, outcome);
  }

  #take(entry: Entry, outcome: SendManyOutcome): true {
    this.#checkOpen();
    this.#budget.take(entry.bytes);
    outcome.expectOne();
    this.#queue.add(entry, undefined);
    return true;
  }

  #refuse(entry: Entry, error: unknown): void {
    this.#budget.release(entry.bytes);
    entry.waiter?.reject(error, 1);
  }

  async #endLinger(): Promise<void> {
    await this.#queue.emptied;
    this.#senders.endLinger();
  }

  /** Sends open batches without waiting for more records. */
  async #hurry(): Promise<void> {
    await this.#queue.emptied;
    this.#senders.hurry();
  }
}
