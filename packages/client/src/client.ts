import type { Bytes } from "@logstore/codec";
import type { ListOffsetsRequest, LogApi, PartitionOffset, TopicDescription, TopicSummary } from "@logstore/protocol";
import { Consumer, type ConsumerOptions } from "./consumer/consumer.js";
import { Producer, type ProducerOptions } from "./producer/producer.js";

/** Topics, producers and consumers of one log, wherever it is. Made by `connect`. */
export class LogClient implements AsyncDisposable {
  readonly #api: LogApi;
  readonly #closeApi: () => void;
  readonly #open = new Set<{ close(): unknown }>();

  constructor(api: LogApi, closeApi: () => void) {
    this.#api = api;
    this.#closeApi = closeApi;
  }

  /** @throws TopicExistsError, InvalidArgumentError */
  createTopic(topic: string, options: { readonly partitions: number }): Promise<TopicDescription> {
    return this.#api.createTopic({ topic, partitions: options.partitions });
  }

  listTopics(): Promise<TopicSummary[]> {
    return this.#api.listTopics();
  }

  /** @throws UnknownTopicError */
  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#api.describeTopic(topic);
  }

  /** Offsets of positions and times, in the order of the request. */
  listOffsets(topic: string, partitions: ListOffsetsRequest["partitions"]): Promise<PartitionOffset[]> {
    return this.#api.listOffsets({ topic, partitions });
  }

  /** `Input`, what may be sent, comes from the schema or serializer; without either, strings and bytes. */
  producer<Input = Bytes>(topic: string, options: ProducerOptions<Input> = {}): Producer<Input> {
    const producer: Producer<Input> = new Producer(this.#api, topic, options, () => this.#open.delete(producer));
    this.#open.add(producer);
    return producer;
  }

  /** `T` and `K`, what values and keys are, come from the schema or serializers; without them, bytes. */
  consumer<T = Uint8Array, K = Uint8Array>(options: ConsumerOptions<T, K>): Consumer<T, K> {
    return new Consumer(this.#api, options, this.#open);
  }

  /** Closes consumers, waits until every producer has settled what it accepted, then ends the connection. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#open, (one) => one.close()));
    this.#closeApi();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
