import { type Bytes, checkArgument, nonEmptyString, required, wholeNumber } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { AdminClient } from "./admin-client.js";
import { type CloseOptions, checkCloseOptions, Registry } from "./common/registry.js";
import type { FormatToSend } from "./common/value-format.js";
import { Consumer } from "./consumer/consumer.js";
import type { ConsumerOptions } from "./group/consumer-options.js";
import { ParkedRecords } from "./parked/parked-records.js";
import type { AppendAck } from "./producer/append-ack.js";
import type { AppendOptions } from "./producer/append-options.js";
import { Appenders } from "./producer/appenders.js";
import { Producer } from "./producer/producer.js";
import type { ProducerOptions } from "./producer/producer-options.js";
import type { AppendRecord } from "./producer/producer-record.js";
import type { RecordFormatToReceive } from "./reader/consumer-record.js";
import { Reader } from "./reader/reader.js";
import type { ReaderOptions } from "./reader/reader-options.js";

/**
 * A client of one log, which is on a server or in this process: it makes producers, readers and
 * consumers, and administers topics. `connect` makes it. Every method that calls the server also
 * throws UnavailableError where the server cannot be reached within `timeoutMs`,
 * UnauthenticatedError and PermissionDeniedError where access is refused, and ClosedError after the
 * client is closed.
 */
export class LogClient extends AdminClient implements AsyncDisposable {
  readonly #api: LogApi;
  readonly #closeApi: () => void;
  readonly #registry = new Registry();
  readonly #appenders: Appenders;
  #closing: Promise<void> | undefined;

  /** @internal Made by `connect()`. */
  constructor(api: LogApi, closeApi: () => void) {
    super(api);
    this.#api = api;
    this.#closeApi = closeApi;
    this.#appenders = new Appenders(api, this.#registry);
  }

  /**
   * Makes a producer for a topic. By default it sends strings and bytes; for values of other types
   * give a `schema` or a `value` serializer, from which the type is inferred.
   *
   * ```ts
   * const producer = client.producer("orders", { value: json<{ total: number }>() });
   * const { offset } = await producer.send({ key: "customer 7", value: { total: 12 } });
   * ```
   *
   * @throws InvalidArgumentError; ClosedError
   */
  producer(topic: string): Producer;
  producer<Input = Bytes>(topic: string, options: ProducerOptions<Input> & FormatToSend<Input>): Producer<Input>;
  producer<Input = Bytes>(topic: string, options: ProducerOptions<Input> = {}): Producer<Input> {
    checkArgument("producer", "topic", topic, required(nonEmptyString));
    return new Producer(this.#api, topic, options, this.#registry);
  }

  /**
   * Appends records to a partition as one batch: all of them consecutively, or none. With
   * `expectedOffset` the append succeeds only if no other append came first, as event sourcing
   * requires. Appends of one client to a partition take effect in the order of the calls. Values
   * are strings or bytes, unless `schema` or `value` is given.
   *
   * ```ts
   * const opened = [{ key: "account 7", value: "opened" }];
   * const { nextOffset } = await client.append("accounts", 0, opened, { expectedOffset: 0 });
   * ```
   *
   * @throws WrongExpectedOffsetError where another append came first: nothing was appended;
   * BatchTooLargeError, InvalidValueError, InvalidArgumentError, UnknownTopicError,
   * UnknownPartitionError, BufferFullError: nothing was appended; DeliveryTimeoutError: the records
   * may or may not have been appended
   */
  append(topic: string, partition: number, records: readonly AppendRecord<Bytes>[]): Promise<AppendAck>;
  append<Input = Bytes>(
    topic: string,
    partition: number,
    records: readonly AppendRecord<Input>[],
    options: AppendOptions<Input> & FormatToSend<Input>,
  ): Promise<AppendAck>;
  async append<Input = Bytes>(
    topic: string,
    partition: number,
    records: readonly AppendRecord<Input>[],
    options: AppendOptions<Input> = {},
  ): Promise<AppendAck> {
    checkArgument("append", "topic", topic, required(nonEmptyString));
    checkArgument("append", "partition", partition, required(wholeNumber({ max: 2 ** 32 - 1 })));
    return this.#appenders.of(topic, partition).append(records, options);
  }

  /**
   * Makes a reader of given partitions (`assign`), or of all partitions of topics (`topics`).
   * Values are bytes, unless `schema` or `value` is given; keys are bytes, unless `key` is given.
   *
   * ```ts
   * const reader = client.reader({ topics: ["orders"], until: "latest", value: text() });
   * for await (const { offset, value } of reader) console.log(offset, value);
   * ```
   *
   * @throws InvalidArgumentError
   */
  reader<T = Uint8Array, K = Uint8Array>(options: ReaderOptions<T, K> & RecordFormatToReceive<T, K>): Reader<T, K> {
    return new Reader<T, K>(this.#api, options, this.#registry);
  }

  /**
   * Makes a member of a consumer group, which shares the partitions of topics among its members.
   * Values are bytes, unless `schema` or `value` is given; keys are bytes, unless `key` is given.
   *
   * ```ts
   * const consumer = client.consumer({ group: "billing", topics: ["orders"], value: text() });
   * for await (const { value } of consumer) if (value === "the last one") break;
   * ```
   *
   * @throws InvalidArgumentError
   */
  consumer<T = Uint8Array, K = Uint8Array>(
    options: ConsumerOptions<T, K> & RecordFormatToReceive<T, K>,
  ): Consumer<T, K> {
    return new Consumer<T, K>(this.#api, options, this.#registry);
  }

  /**
   * Gives access to the records of a topic that a group has parked, to list and replay them.
   *
   * ```ts
   * const parked = client.parked("orders", "billing");
   * for await (const { reason, attempts } of parked) console.log(reason, attempts);
   * const { replayed } = await parked.replay();
   * ```
   *
   * @throws InvalidArgumentError
   */
  parked(topic: string, group: string): ParkedRecords {
    checkArgument("parked", "topic", topic, required(nonEmptyString));
    checkArgument("parked", "group", group, required(nonEmptyString));
    return new ParkedRecords(this.#api, topic, group, this.#registry);
  }

  /**
   * Closes everything that was made with this client, then its connections. Consumers close as
   * {@link Consumer.close} describes, within 10 s; producers and appends when each accepted record
   * is settled, within `deliveryTimeoutMs`. `timeoutMs` limits all of this. The connections are
   * closed even if something fails before.
   *
   * @throws the first error, such as one that a hook threw; InvalidArgumentError
   */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    const before = this.#closing;
    const closing = this.#registry.close(options).finally(this.#closeApi);
    this.#closing ??= closing;
    await Promise.all([before, closing]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
