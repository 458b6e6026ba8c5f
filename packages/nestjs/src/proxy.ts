import {
  json,
  type LogClient,
  type Producer,
  type ProducerOptions,
  type ProducerRecord,
  type Serializer,
} from "@logstore/client";
import { ClientProxy, type ReadPacket } from "@nestjs/microservices";
import { type ConnectionOptions, openClient } from "./connection.js";
import { NoReplyError } from "./errors.js";

/** Options of {@link LogStoreClient}. */
export type LogStoreClientOptions = ConnectionOptions & {
  /** Serializes data to values. Default: `json()`. */
  readonly value?: Serializer<unknown, unknown> | undefined;
  /** Further options of `client.producer`: durability, compression, … */
  readonly producer?: Omit<ProducerOptions<unknown>, "value" | "schema">;
};

/**
 * An event with a key, headers or a timestamp: `client.emit("orders", new LogStoreRecord({ key,
 * value }))`.
 */
export class LogStoreRecord<T = unknown> {
  readonly record: ProducerRecord<T>;

  constructor(record: ProducerRecord<T>) {
    this.record = record;
  }
}

/**
 * A client proxy of Nest: `client.emit("orders", data)` appends a record to the topic `orders`. The
 * observable emits its acknowledgement, an `AppendAck`, and completes, when the record is durable.
 */
export class LogStoreClient extends ClientProxy<Record<never, never>, never> {
  readonly #options: LogStoreClientOptions;
  readonly #producers = new Map<string, Producer<unknown>>();
  #opened: { readonly client: LogClient; readonly isOwn: boolean } | undefined;

  constructor(options: LogStoreClientOptions) {
    super();
    this.#options = options;
  }

  /** Creates the client, which connects with its first call. */
  async connect(): Promise<LogClient> {
    this.#opened ??= openClient(this.#options);
    return this.#opened.client;
  }

  /** Resolves when every event is acknowledged or has failed. */
  async close(): Promise<void> {
    const opened = this.#opened;
    const producers = [...this.#producers.values()];
    this.#opened = undefined;
    this.#producers.clear();
    if (opened?.isOwn) await opened.client.close();
    else await Promise.all(producers.map((producer) => producer.close()));
  }

  /** The `LogClient`. @throws Error before `connect()` or the first event */
  unwrap<T = LogClient>(): T {
    if (this.#opened === undefined) throw new Error("LogStoreClient has no client yet: connect() first");
    return this.#opened.client as T;
  }

  protected override async dispatchEvent<T>({ pattern, data }: ReadPacket): Promise<T> {
    const record = data instanceof LogStoreRecord ? data.record : { value: data };
    return (await this.#producer(this.normalizePattern(pattern)).send(record)) as T;
  }

  protected override publish({ pattern }: ReadPacket): () => void {
    throw new NoReplyError(
      `send("${this.normalizePattern(pattern)}"): a log takes events and sends no replies. Use emit(), or another transport for requests`,
    );
  }

  #producer(topic: string): Producer<unknown> {
    let producer = this.#producers.get(topic);
    if (producer === undefined) {
      const { value = json(), producer: options } = this.#options;
      producer = this.unwrap<LogClient>().producer<unknown>(topic, { ...options, value });
      this.#producers.set(topic, producer);
    }
    return producer;
  }
}
