import { type Bytes, ClosedError, DeliveryTimeoutError, InvalidArgumentError, shown } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { type CloseOptions, checkCloseOptions, type Registry, settledWithin } from "../common/registry.js";
import { ValueFormat } from "../common/value-format.js";
import { DURABILITY, MESSAGE_COUNT, OFFSET, PARTITION_ID } from "../telemetry/conventions.js";
import { isTracing } from "../telemetry/record-context.js";
import { SendSpan } from "../telemetry/send-span.js";
import type { AppendAck } from "./append-ack.js";
import { BufferBudget } from "./buffer-budget.js";
import { checkRecord } from "./check-record.js";
import { DEFAULT_DELIVERY_TIMEOUT_MS } from "./delivery-options.js";
import { type Entry, entryOf } from "./entry.js";
import { checkProducerOptions, type ProducerOptions } from "./producer-options.js";
import type { ProducerRecord } from "./producer-record.js";
import { RecordQueue } from "./record-queue.js";
import { SendManyOutcome, type SendManyResult } from "./send-many.js";
import { type ProducerTarget, TopicSenders } from "./topic-senders.js";

/**
 * Appends records to one topic, in batches that form by themselves. Each record is appended once,
 * also across reconnects.
 *
 * A topic that is deleted and made again is another topic. What waits for the old one is refused
 * with an InconsistentTopicIdError (or an UnknownTopicError while there is none), and nothing of it
 * is appended to the new one, where its key may belong to another partition. What is sent
 * afterwards goes to the new topic, by its own partitions.
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
    this.#budget = new BufferBudget(options.maxBufferedBytes ?? 32 * 1024 * 1024);
    const senderOptions = {
      lingerMs: options.lingerMs ?? 0,
      batchBytes: options.batchBytes ?? 256 * 1024,
      deliveryTimeoutMs: this.#deliveryTimeoutMs,
      compression: options.compression ?? "none",
      durability: options.durability,
    };
    const released = (bytes: number) => this.#budget.release(bytes);
    this.#senders = new TopicSenders(api, { topic, ...target }, senderOptions, released);
    this.#queue = new RecordQueue(this.#senders, {
      topic,
      validationTimeoutMs: this.#deliveryTimeoutMs,
      refused: (entry, error) => this.#refuse(entry, error),
    });
    this.#registry = registry;
    registry.addWriter(this);
  }

  /**
   * Resolves when the record is appended with the durability asked for. Rejects with
   * - InvalidValueError, RecordTooLargeError, UnknownTopicError, UnknownPartitionError: the record
   *   was not sent;
   * - InconsistentTopicIdError: the topic was made anew, and the record is not in the new one: send
   *   it again to put it there;
   * - BufferFullError: too much waits already, it was not sent;
   * - DeliveryTimeoutError: given up, it may or may not have been appended;
   * - OutOfOrderSequenceError: not appended, because one before it in its partition was lost;
   * - ClosedError, or what else the log answered.
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
    return new Promise((resolve, reject) => {
      this.#checkOpen();
      checkRecord(record);
      const valid = this.#format.validate(record.value);
      valid?.catch(() => {}); // told below, unless something else stops the record first
      const entry = entryOf(record, this.#format, { resolve, reject });
      this.#budget.take(entry.bytes);
      this.#queue.add(entry, valid);
    });
  }

  /**
   * Resolves when at most half of `maxBufferedBytes` is in use. Now and then it lets a turn of the
   * event loop pass, so that a loop of sends and this does not keep batches from leaving.
   */
  async ready(): Promise<void> {
    if (!this.#budget.isReady) await this.#hurry();
    await this.#budget.ready();
  }

  /**
   * Sends every record, pulling them only as fast as they can be buffered, and resolves when all
   * are acknowledged. After a failure nothing more is pulled; it rejects with the first one when
   * all that was pulled is settled.
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
      // A loop that awaited every record of a plain array would spend most of its time on that.
      if (Symbol.asyncIterator in records) {
        for await (const record of records) if (!(await this.#takeOneOfMany(record, outcome))) break;
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

  /** Resolves when every record accepted so far is settled, well or badly. */
  async flush(): Promise<void> {
    await this.#queue.emptied;
    await this.#senders.flush();
  }

  /**
   * Refuses further records, and resolves when those accepted so far are settled: each is within
   * its `deliveryTimeoutMs`. After `timeoutMs`, those that are not are rejected with a
   * DeliveryTimeoutError, and may or may not have been appended. Default: a second more than
   * `deliveryTimeoutMs`; where that is Infinity, 120,000.
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

  /** The second is for the records' own time to end first. */
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
   * False where an earlier record has failed; a promise only where something must be waited for.
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
    const take = (): true => {
      this.#checkOpen();
      this.#budget.take(entry.bytes);
      outcome.expectOne();
      this.#queue.add(entry, undefined);
      return true;
    };
    const fits = this.#budget.fits(entry.bytes);
    if (fits && !this.#budget.isTurnDue) return take();
    const hurried = fits ? Promise.resolve() : this.#hurry();
    return hurried.then(() => this.#budget.room(entry.bytes)).then(take);
  }

  #refuse(entry: Entry, error: unknown): void {
    this.#budget.release(entry.bytes);
    entry.waiter.reject(error);
  }

  /** Sends open batches without waiting for more records. */
  async #hurry(): Promise<void> {
    await this.#queue.emptied;
    this.#senders.hurry();
  }
}
