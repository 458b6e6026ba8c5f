import {
  type Consumer,
  type ConsumerOptions,
  json,
  type LogClient,
  type RunOptions,
  type Serializer,
} from "@logstore/client";
import {
  type CustomTransportStrategy,
  type MessageHandler,
  type MsPattern,
  type ReadPacket,
  Server,
} from "@nestjs/microservices";
import { type ConnectionOptions, openClient } from "./connection.js";
import { LogStoreContext } from "./context.js";
import { NoReplyError } from "./errors.js";
import { Handlers } from "./handlers.js";

/** Options of {@link LogStoreServer}. */
export type LogStoreServerOptions = ConnectionOptions & {
  /** The consumer group. Every instance of the application is a member. */
  readonly group: string;
  /** Deserializes values to data. Default: `json()`. */
  readonly value?: Serializer<unknown, unknown> | undefined;
  /** Further options of `client.consumer`: where to begin, timeouts, … */
  readonly consumer?: Omit<
    ConsumerOptions<unknown>,
    "group" | "topics" | "value" | "schema" | "key" | "commit" | "signal"
  >;
  /** Options of `consumer.run`: concurrency, retries, whether to park. */
  readonly run?: Omit<RunOptions<unknown, Uint8Array>, "eachRecord" | "signal">;
};

/** "running": a member of its group; "stopped": closed; "failed": the run ended with an error. */
export type LogStoreStatus = "running" | "stopped" | "failed";

/**
 * A transport strategy of Nest: `@EventPattern("orders")` handles the records of the topic
 * `orders`; a `*` in a pattern matches any characters. An event is processed when its handlers are
 * done, and committed then. An event whose handler fails is retried, and parked if it keeps
 * failing: see `consumer.run` of `@logstore/client`.
 */
export class LogStoreServer extends Server<Record<string, never>, LogStoreStatus> implements CustomTransportStrategy {
  override readonly transportId: symbol = Symbol("logstore");
  /** Failures of handlers are passed to the runner, which retries. */
  override readonly propagatesEventHandlerErrors = true;
  readonly #options: LogStoreServerOptions;
  readonly #value: Serializer<unknown, unknown>;
  readonly #handlers = new Handlers();
  #client: LogClient | undefined;
  #isOwnClient = false;
  #consumer: Consumer<unknown> | undefined;
  #running: Promise<void> | undefined;

  constructor(options: LogStoreServerOptions) {
    super();
    this.#options = options;
    this.#value = options.value ?? json();
  }

  /**
   * Called by Nest for each handler. They are not chained as Nest does: a chain of handlers is done
   * when one of them fails, or returns an observable without a value.
   */
  override addHandler(pattern: MsPattern, handler: MessageHandler, isEventHandler = false, extras = {}): void {
    const name = this.normalizePattern(pattern);
    this.#handlers.add(name, Object.assign(handler, { isEventHandler, extras }));
    this.messageHandlers.set(name, handler);
  }

  /** Joins the group. Called by Nest. */
  listen(callback: (error?: unknown) => void): void {
    this.#start().then(() => callback(), callback);
  }

  async #start(): Promise<void> {
    this.#checkPatterns();
    const { client, isOwn } = openClient(this.#options);
    this.#client = client;
    this.#isOwnClient = isOwn;
    try {
      if (this.#handlers.patterns.length > 0) this.#running = this.#run(this.#newConsumer(client));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /**
   * Leaves the group when the handlers in progress are done, and closes the client if this server
   * created it.
   */
  async close(): Promise<void> {
    try {
      await this.#consumer?.close();
      await this.#running;
    } finally {
      if (this.#isOwnClient) await this.#client?.close();
    }
  }

  /** There are no events other than the status. */
  on(): never {
    throw new Error("LogStoreServer has no events: subscribe to its status");
  }

  /** The `LogClient`. @throws Error before the application listens */
  unwrap<T = LogClient>(): T {
    if (this.#client === undefined) throw new Error("LogStoreServer has no client yet: start the application first");
    return this.#client as T;
  }

  #checkPatterns(): void {
    const pattern = this.#handlers.requestPattern;
    if (pattern === undefined) return;
    throw new NoReplyError(
      `@MessagePattern("${pattern}"): a log takes events and sends no replies. Use @EventPattern, or another transport for requests`,
    );
  }

  /** @throws InvalidArgumentError */
  #newConsumer(client: LogClient): Consumer<unknown> {
    const { group, consumer } = this.#options;
    const topics = this.#handlers.patterns;
    this.#consumer = client.consumer<unknown>({ ...consumer, group, topics, value: this.#value });
    return this.#consumer;
  }

  async #run(consumer: Consumer<unknown>): Promise<void> {
    this._status$.next("running");
    try {
      await consumer.run({
        ...this.#options.run,
        eachRecord: (record, attempt) => {
          const packet = { pattern: record.topic, data: record.value };
          return this.handleEvent(record.topic, packet, new LogStoreContext(record, attempt, consumer));
        },
      });
      this._status$.next("stopped");
    } catch (error) {
      this._status$.next("failed");
      this.logger.error(error);
    }
  }

  /** Resolves when the handlers are done, and rejects with the failure of one. */
  override handleEvent(topic: string, packet: ReadPacket, context: LogStoreContext): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      // Nothing is thrown into Nest's hooks, which may not wait for the result.
      const handle = async (ended: () => void) => {
        await this.#handlers.handle(topic, packet.data, context).then(resolve, reject);
        try {
          ended();
        } catch (error) {
          this.logger.error(error);
        }
      };
      const hooked: unknown = this.runWithProcessingHooks(context, handle);
      Promise.resolve(hooked).catch(reject); // an async hook that fails before the handlers are called
    });
  }
}
