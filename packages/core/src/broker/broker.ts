/** Many topics under one data directory, without a transport: the protocol's API, embedded. */
import { LogStoreError } from "@logstore/codec";
import type {
  ConsumeEvent,
  ConsumeOptions,
  ConsumeRequest,
  CreateTopicRequest,
  ListOffsetsRequest,
  LogApi,
  PartitionOffset,
  ProduceAck,
  ProduceRequest,
  TopicDescription,
  TopicSummary,
} from "@logstore/protocol";
import { MemoryStorage } from "../storage/memory-storage.js";
import { NodeStorage } from "../storage/node-storage.js";
import type { Lock } from "../storage/storage.js";
import type { LogStore } from "../store/log-store.js";
import type { LogStoreOptions } from "../store/options.js";
import { stoppable } from "../store/stoppable.js";
import { isBrokerDirectory, makeBrokerDirectory } from "./broker-file.js";
import { consume } from "./consume.js";
import { Topics } from "./topics.js";

/** Options that hold for every topic; see {@link LogStoreOptions}. */
export type BrokerOptions = Omit<LogStoreOptions, "partitions" | "partitioner">;

export class Broker implements LogApi, AsyncDisposable {
  readonly #topics: Topics;
  readonly #lock: Lock;
  #closing: Promise<void> | undefined;

  private constructor(topics: Topics, lock: Lock) {
    this.#topics = topics;
    this.#lock = lock;
  }

  /**
   * Opens a data directory, making it where there is none; ":memory:" is a new one in memory.
   *
   * @throws LockedError, NotALogStoreError, UnsupportedFormatVersionError, InvalidArgumentError
   */
  static async open(directory: string, options: BrokerOptions = {}): Promise<Broker> {
    const storage = options.storage ?? (directory === ":memory:" ? new MemoryStorage() : new NodeStorage());
    const path = directory.replace(/(?<=.)\/+$/, "");
    await isBrokerDirectory(storage, path); // a look before anything is touched
    await storage.makeDirectory(path);
    const lock = await storage.lock(path);
    try {
      if (!(await isBrokerDirectory(storage, path))) await makeBrokerDirectory(storage, path);
      return new Broker(await Topics.open(storage, path, options), lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async createTopic({ topic, partitions }: CreateTopicRequest): Promise<TopicDescription> {
    return describe(topic, await this.#topics.create(topic, partitions));
  }

  async listTopics(): Promise<TopicSummary[]> {
    return this.#topics.list().map(({ topic, store }) => ({ topic, partitionCount: store.partitionCount }));
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    return describe(topic, this.#topics.store(topic));
  }

  /** A topic's log store, for those who embed the broker. */
  topic(topic: string): LogStore {
    return this.#topics.store(topic);
  }

  async produce({ topic, partition, batches, durability, expectedOffset }: ProduceRequest): Promise<ProduceAck> {
    try {
      return await this.#topics.store(topic).log(partition).appendBatches(batches, { durability, expectedOffset });
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  consume(request: ConsumeRequest, options: ConsumeOptions = {}): AsyncGenerator<ConsumeEvent, void> {
    return stoppable((stop) => {
      const { signal } = options;
      const either = signal === undefined ? stop : AbortSignal.any([signal, stop]);
      return this.#consume(request, { ...options, signal: either });
    });
  }

  async *#consume(request: ConsumeRequest, options: ConsumeOptions): AsyncGenerator<ConsumeEvent, void> {
    const { topic, partition } = request;
    try {
      yield* consume(this.#topics.store(topic).log(partition), request, options);
    } catch (error) {
      throw within(topic, partition, error);
    }
  }

  async listOffsets({ topic, partitions }: ListOffsetsRequest): Promise<PartitionOffset[]> {
    const store = this.#topics.store(topic);
    return Promise.all(
      partitions.map(async ({ partition, position }) => {
        try {
          const log = store.log(partition);
          return { partition, offset: log.reader(await log.resolve(position)).offset };
        } catch (error) {
          throw within(topic, partition, error);
        }
      }),
    );
  }

  /** Finishes what waits, makes everything durable, and lets go of the directory. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#topics.close();
    } finally {
      await this.#lock.release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function describe(topic: string, store: LogStore): TopicDescription {
  const partitions = Array.from({ length: store.partitionCount }, (_, partition) => {
    const { logStart, highWatermark, logEnd } = store.log(partition).offsets;
    return { partition, logStartOffset: logStart, highWatermark, logEndOffset: logEnd };
  });
  return { topic, partitioner: store.partitioner, partitions };
}

/** An error of one partition, told with the topic that the partition does not know. */
function within(topic: string, partition: number, error: unknown): unknown {
  if (!(error instanceof LogStoreError) || error.topic !== undefined) return error;
  return error.with({ topic, partition });
}
