import {
  type Bytes,
  ClosedError,
  DeliveryTimeoutError,
  fnvPartitioner,
  InconsistentTopicIdError,
  InvalidArgumentError,
  PartitionerMismatchError,
  shown,
  UnknownPartitionError,
} from "@logstore/codec";
import type { LogApi, TopicDescription } from "@logstore/protocol";
import { type CloseOptions, checkCloseOptions, type Registry, settledWithin } from "../common/registry.js";
import { ValueFormat } from "../common/value-format.js";
import { DURABILITY, MESSAGE_COUNT, OFFSET, PARTITION_ID } from "../telemetry/conventions.js";
import { isTracing } from "../telemetry/record-context.js";
import { SendSpan } from "../telemetry/send-span.js";
import type { AppendAck } from "./append-ack.js";
import type { Waiter } from "./batch.js";
import { BufferBudget } from "./buffer-budget.js";
import { checkRecord, timestampOf } from "./check-record.js";
import { DEFAULT_DELIVERY_TIMEOUT_MS } from "./delivery-options.js";
import { partitionOf } from "./partition-of.js";
import { PartitionSender, type SenderOptions } from "./partition-sender.js";
import { checkProducerOptions, type ProducerOptions } from "./producer-options.js";
import type { ProducerRecord } from "./producer-record.js";
import { randomProducerId } from "./producer-sequence.js";
import type { Entry } from "./record-accumulator.js";
import { SendManyOutcome, type SendManyResult } from "./send-many.js";
import { StickyPartition } from "./sticky-partition.js";

/** Room for the lengths and the timestamp of a record. */
const RECORD_OVERHEAD_BYTES = 16;

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
  readonly #api: LogApi;
  readonly #format: ValueFormat<unknown, Input>;
  readonly #options: SenderOptions;
  readonly #budget: BufferBudget;
  readonly #registry: Registry;
  readonly #onlyTopicId: string | undefined;
  /** Undefined until the topic was asked for them, and when it is to be asked again. */
  #senders: PartitionSender[] | undefined;
  /** Senders of a topic that is gone, until each record that they have is refused. */
  readonly #retired = new Set<PartitionSender>();
  #partitioner = "";
  #learning: Promise<void> | undefined;
  /**
   * Records that wait for the topic's description or for a validator, and those behind them, in
   * order.
   */
  #queue: { readonly entry: Entry; readonly valid: Promise<void> | undefined }[] = [];
  #emptyingQueue: Promise<void> | undefined;
  #sticky: StickyPartition;
  #closing: Promise<void> | undefined;
  /** Closed before everything was settled. */
  readonly #abandoned = new AbortController();

  /**
   * @internal Made by `client.producer()`.
   *
   * @param onlyTopicId of the one topic that records are for. Default: whatever topic has the name
   */
  constructor(
    api: LogApi,
    topic: string,
    options: ProducerOptions<Input>,
    registry: Registry,
    onlyTopicId?: string | undefined,
  ) {
    checkProducerOptions(options);
    this.topic = topic;
    this.#api = api;
    this.#format = new ValueFormat(options);
    this.#options = {
      lingerMs: options.lingerMs ?? 0,
      batchBytes: options.batchBytes ?? 256 * 1024,
      deliveryTimeoutMs: options.deliveryTimeoutMs ?? DEFAULT_DELIVERY_TIMEOUT_MS,
      compression: options.compression ?? "none",
      durability: options.durability,
    };
    this.#sticky = new StickyPartition(this.#options.batchBytes);
    this.#budget = new BufferBudget(options.maxBufferedBytes ?? 32 * 1024 * 1024);
    this.#onlyTopicId = onlyTopicId;
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
      const entry = this.#encode(record, { resolve, reject });
      this.#budget.take(entry.bytes);
      this.#enqueue(entry, valid);
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
    await this.#emptyingQueue;
    await Promise.all([...this.#retired, ...(this.#senders ?? [])].map((sender) => sender.flush()));
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
    const { deliveryTimeoutMs } = this.#options;
    return deliveryTimeoutMs === Number.POSITIVE_INFINITY ? DEFAULT_DELIVERY_TIMEOUT_MS : deliveryTimeoutMs + 1_000;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #abandon(error: unknown): void {
    this.#abandoned.abort(error);
    for (const { entry } of this.#queue) this.#refuse(entry, error);
    this.#queue = [];
    for (const sender of [...this.#retired, ...(this.#senders ?? [])]) sender.abandon(error);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError("the producer is closed", { topic: this.topic });
  }

  #encode(record: ProducerRecord<Input>, waiter: Waiter): Entry {
    const { key, value, headers, partition } = record;
    const timestamp = timestampOf(record);
    const stored = this.#format.serialize(value);
    let bytes = RECORD_OVERHEAD_BYTES + byteLength(stored);
    if (key !== undefined && key !== null) bytes += byteLength(key);
    if (headers !== undefined) for (const header of headers) bytes += header.name.length + header.value.length;
    return { key: key ?? null, value: stored, timestamp, headers, partition, bytes, waiter };
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
    const entry = this.#encode(record, outcome);
    const take = (): true => {
      this.#checkOpen();
      this.#budget.take(entry.bytes);
      outcome.expectOne();
      this.#enqueue(entry, undefined);
      return true;
    };
    const fits = this.#budget.fits(entry.bytes);
    if (fits && !this.#budget.isTurnDue) return take();
    const hurried = fits ? Promise.resolve() : this.#hurry();
    return hurried.then(() => this.#budget.room(entry.bytes)).then(take);
  }

  #enqueue(entry: Entry, valid: Promise<void> | undefined): void {
    if (this.#senders !== undefined && this.#emptyingQueue === undefined && valid === undefined) {
      this.#place(entry);
      return;
    }
    this.#queue.push({ entry: copyOf(entry), valid });
    this.#emptyingQueue ??= this.#emptyQueue();
  }

  async #emptyQueue(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const queued = this.#queue;
        this.#queue = [];
        const failed = await this.#learn().then(noError, asRefusal);
        for (const { entry, valid } of queued) {
          let refused = failed ?? (valid && (await this.#inTime(valid)));
          // The topic may have been made anew meanwhile.
          if (this.#senders === undefined) refused ??= await this.#learn().then(noError, asRefusal);
          if (this.#abandoned.signal.aborted) this.#refuse(entry, this.#abandoned.signal.reason);
          else if (refused === undefined) this.#place(entry);
          else this.#refuse(entry, refused.error);
        }
      }
    } finally {
      // In the same turn as the last look at the queue: whoever is told of a refusal may send again
      // at once.
      this.#emptyingQueue = undefined;
    }
  }

  /** A validator that never ends costs its record, not those behind it. */
  async #inTime(valid: Promise<void>): Promise<{ readonly error: unknown } | undefined> {
    const { deliveryTimeoutMs } = this.#options;
    if (await settledWithin(valid, deliveryTimeoutMs, this.#abandoned.signal)) return valid.then(noError, asRefusal);
    const message = `the schema did not validate the value within ${deliveryTimeoutMs} ms: the record was not sent`;
    return { error: new DeliveryTimeoutError(message, { topic: this.topic }) };
  }

  #place(entry: Entry): void {
    try {
      this.#senderFor(entry).append(entry);
    } catch (error) {
      this.#refuse(entry, error);
    }
  }

  #refuse(entry: Entry, error: unknown): void {
    this.#budget.release(entry.bytes);
    entry.waiter.reject(error);
  }

  #senderFor({ key, partition, bytes }: Entry): PartitionSender {
    const senders = this.#senders!;
    if (partition === undefined && key !== null) this.#checkPartitioner();
    const chosen =
      partition ?? (key === null ? this.#stickyPartition(bytes, senders) : partitionOf(key, senders.length));
    const sender = senders[chosen];
    if (sender !== undefined) return sender;
    this.#retire(senders); // a topic made anew may have more
    throw new UnknownPartitionError(`${this.topic} has ${senders.length} partitions, and no partition ${chosen}`, {
      topic: this.topic,
      partition: chosen,
      expected: senders.length,
    });
  }

  #stickyPartition(bytes: number, senders: readonly PartitionSender[]): number {
    const before = senders[this.#sticky.partition]!;
    const { hasOpenBatch } = before;
    const chosen = this.#sticky.next(bytes, hasOpenBatch, senders.length);
    if (hasOpenBatch && senders[chosen] !== before) before.hurry(); // it has got its share
    return chosen;
  }

  /** Asks the log for the topic's partitions, once; again with the next send where that failed. */
  #learn(): Promise<void> {
    if (this.#senders !== undefined) return Promise.resolve();
    this.#learning ??= this.#api
      .describeTopic(this.topic)
      .then((described) => {
        this.#checkTopicId(described.topicId);
        this.#partitioner = described.partitioner;
        this.#sticky = new StickyPartition(this.#options.batchBytes);
        this.#senders = this.#sendersFor(described);
      })
      .finally(() => {
        this.#learning = undefined;
      });
    return this.#learning;
  }

  /** Their sequences begin anew, under a producer id of their own. */
  #sendersFor({ topicId, partitions, effectiveConfig: { maxBatchBytes } }: TopicDescription): PartitionSender[] {
    const producerId = randomProducerId();
    const options = { ...this.#options, maxBatchBytes };
    const listener = {
      released: (bytes: number) => this.#budget.release(bytes),
      topicGone: () => this.#retire(senders),
    };
    const senders = partitions.map(({ partition }) => {
      const target = { topic: this.topic, topicId, partition };
      return new PartitionSender(this.#api, target, producerId, options, listener);
    });
    return senders;
  }

  /**
   * The next record asks for the topic again. What these senders have goes on to where it was to
   * go, and is refused there.
   */
  #retire(senders: readonly PartitionSender[]): void {
    if (this.#senders !== senders) return;
    this.#senders = undefined;
    for (const sender of senders) {
      this.#retired.add(sender);
      void sender.flush().then(() => this.#retired.delete(sender));
    }
  }

  #checkTopicId(topicId: string | undefined): void {
    if (this.#onlyTopicId === undefined || !topicId || topicId === this.#onlyTopicId) return;
    throw new InconsistentTopicIdError(
      `topic ${this.topic} was deleted and made anew since (its id is ${topicId}, not ${this.#onlyTopicId}): nothing is sent to it`,
      { topic: this.topic },
    );
  }

  #checkPartitioner(): void {
    if (this.#partitioner === fnvPartitioner.name) return;
    throw new PartitionerMismatchError(
      `topic ${this.topic} maps keys by ${this.#partitioner}, which this client does not know: give each record its partition`,
      { topic: this.topic },
    );
  }

  /** Sends what there is, without waiting for more. */
  async #hurry(): Promise<void> {
    await this.#emptyingQueue;
    for (const sender of this.#senders ?? []) sender.hurry();
  }
}

function noError(): undefined {}

function asRefusal(error: unknown): { readonly error: unknown } {
  return { error };
}

/** The caller's buffers are his own again once a send was made. */
function copyOf(entry: Entry): Entry {
  const headers = entry.headers?.map(({ name, value }) => ({ name, value: copyOfBytes(value) }));
  return { ...entry, key: entry.key && copyOfBytes(entry.key), value: copyOfBytes(entry.value), headers };
}

function byteLength(bytes: Bytes): number {
  return typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length;
}

function copyOfBytes(bytes: Bytes): Bytes {
  return typeof bytes === "string" ? bytes : new Uint8Array(bytes);
}
