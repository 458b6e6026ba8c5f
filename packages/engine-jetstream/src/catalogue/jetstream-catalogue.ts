/** The topics in the bucket, and the streams of their partitions. */
import { randomUUID } from "node:crypto";
import { fnvPartitioner, LogStoreError, TopicExistsError, UnknownTopicError } from "@logstore/codec";
import type {
  FoundTopic,
  FoundTopics,
  SharedCatalogue,
  TopicCatalogue,
  TopicConfig,
  UnopenableTopic,
} from "@logstore/core/engine";
import type { Bucket } from "../nats/bucket.js";
import { available } from "../nats/failures.js";
import { ANY_TOPIC, type Names, topicKey, topicOf } from "../nats/names.js";
import type { Nats } from "../nats/nats.js";
import { PartitionStream } from "../nats/partition-stream.js";
import { EarlyTakeovers } from "../partition/early-takeovers.js";
import { JetStreamLog } from "../partition/jetstream-log.js";
import type { LogContext } from "../partition/log-options.js";
import type { PartitionOwners } from "../partition/ownership.js";
import { type ConfigLimits, effectiveConfig } from "./effective-config.js";
import { JetStreamTopic } from "./jetstream-topic.js";
import { decodeTopic, encodeTopic, type TopicRecord } from "./topic-record.js";
import { TopicWatch } from "./topic-watch.js";

interface StoredTopic {
  readonly record: TopicRecord;
  readonly revision: number;
}

export class JetStreamCatalogue implements TopicCatalogue<JetStreamTopic> {
  readonly #nats: Nats;
  readonly #names: Names;
  readonly #bucket: Bucket;
  readonly #context: LogContext;
  readonly #limits: ConfigLimits;
  readonly #owners: PartitionOwners | undefined;
  readonly #open = new Set<JetStreamTopic>();
  readonly #watch: TopicWatch;
  readonly #takeovers: EarlyTakeovers;
  readonly shared: SharedCatalogue;

  /** @param owners undefined: this broker owns all partitions */
  constructor(
    nats: Nats,
    names: Names,
    bucket: Bucket,
    context: LogContext,
    limits: ConfigLimits,
    owners: PartitionOwners | undefined,
  ) {
    this.#owners = owners;
    this.#nats = nats;
    this.#names = names;
    this.#bucket = bucket;
    this.#context = context;
    this.#limits = limits;
    this.#watch = new TopicWatch(bucket, this.#open);
    this.#takeovers = new EarlyTakeovers(() => [...this.#openTopics()].flatMap(({ logs }) => logs));
    owners?.onChange(() => this.#takeovers.ownersChanged());
    this.shared = {
      onChange: (changed) => this.#watch.onChange(changed),
      lookUp: (topic) => this.#lookUp(topic),
    };
  }

  /** Begins to follow the changes of other brokers. */
  start(): Promise<void> {
    return this.#watch.start();
  }

  async find(): Promise<FoundTopics> {
    const keys = await available("topics cannot be listed", this.#bucket.keys(ANY_TOPIC));
    const topics: FoundTopic[] = [];
    const unreadable: UnopenableTopic[] = [];
    const look = async (topic: string) => {
      try {
        const found = await this.#lookUp(topic);
        if (found !== undefined) topics.push(found);
      } catch (error) {
        if (!(error instanceof LogStoreError) || error.code === "UNAVAILABLE") throw error;
        unreadable.push({ location: this.#location(topic), topic, error });
      }
    };
    await Promise.all(keys.map((key) => look(topicOf(key))));
    return { topics, unreadable };
  }

  async partitionCount({ topic }: FoundTopic): Promise<number> {
    return (await this.#stored(topic)).record.partitions;
  }

  async open({ topic }: FoundTopic): Promise<JetStreamTopic> {
    return this.#opened(topic, (await this.#stored(topic)).record);
  }

  async create(topic: string, partitions: number, config: TopicConfig): Promise<JetStreamTopic> {
    if ((await this.#get(topic)) !== undefined) throw exists(topic);
    this.#owners?.checkRoom(partitions);
    const record = { id: randomUUID(), partitions, partitioner: fnvPartitioner.name, config };
    const what = `topic ${topic} cannot be created`;
    let mayExist = false;
    try {
      await available(what, this.#createStreams(topic, record));
      mayExist = true; // from now on, unless the key is refused
      const set = this.#watch.own(this.#bucket.set(topicKey(topic), encodeTopic(record), 0));
      mayExist = (await available(what, set)) !== undefined;
      if (!mayExist) throw exists(topic);
    } catch (error) {
      // A topic may exist whose key was set without an answer, now or later: other brokers may have
      // written to its streams already.
      if (!mayExist) await this.#deleteStreams(record).catch(() => {});
      else if ((await this.#get(topic).catch(() => undefined))?.record.id === record.id)
        return this.#opened(topic, record);
      throw error;
    }
    await this.#owners?.settled(record.id);
    return this.#opened(topic, record);
  }

  async alter(topic: JetStreamTopic, change: (config: TopicConfig) => TopicConfig): Promise<void> {
    for (;;) {
      const { record, revision } = await this.#stored(topic.topic);
      if (record.id !== topic.id) throw unknownTopic(topic.topic);
      const config = change(record.config);
      const set = this.#watch.own(
        this.#bucket.set(topicKey(topic.topic), encodeTopic({ ...record, config }), revision),
      );
      if ((await available(`topic ${topic.topic} cannot be altered`, set)) === undefined) continue;
      topic.altered(config);
      return;
    }
  }

  async delete({ topic, id, partitionCount }: JetStreamTopic): Promise<void> {
    const what = `topic ${topic} cannot be deleted`;
    for (;;) {
      const stored = await this.#get(topic);
      if (stored?.record.id !== id) return; // another broker has deleted it
      const deleted = this.#watch.own(this.#bucket.delete(topicKey(topic), stored.revision));
      if ((await available(what, deleted)) !== undefined) break;
    }
    // What is left of them takes space, and is no topic.
    await this.#deleteStreams({ id, partitions: partitionCount }).catch(() => {});
  }

  effectiveConfig(config: TopicConfig): TopicConfig {
    return effectiveConfig(config, this.#limits);
  }

  /** Applies the retention of the open topics whose partitions this broker owns. */
  async applyRetention(): Promise<void> {
    for (const topic of this.#openTopics()) await topic.applyRetention().catch(() => {}); // a later call does it
  }

  async close(): Promise<void> {
    await this.#watch.stop();
  }

  async #opened(topic: string, record: TopicRecord): Promise<JetStreamTopic> {
    const makeLog = ({ config: _ }: JetStreamTopic, partition: number) => {
      const stream = new PartitionStream(this.#nats, this.#names.partition(record.id, partition));
      const configOf = () => effectiveConfig(opened.config, this.#limits);
      const ownership = this.#owners?.partition(record.id, partition);
      return new JetStreamLog(partition, stream, this.#context, configOf, {
        ownership,
        source: { topic, partition },
      });
    };
    const opened: JetStreamTopic = new JetStreamTopic(topic, this.#location(topic), record, makeLog);
    await opened.refresh();
    this.#openTopics();
    this.#open.add(opened);
    this.#takeovers.ownersChanged(); // as of now
    return opened;
  }

  /** Forgets those that were closed. */
  #openTopics(): ReadonlySet<JetStreamTopic> {
    for (const topic of this.#open) if (topic.isClosed) this.#open.delete(topic);
    return this.#open;
  }

  async #lookUp(topic: string): Promise<FoundTopic | undefined> {
    const stored = await this.#get(topic);
    return stored && { topic, id: stored.record.id, location: this.#location(topic) };
  }

  async #stored(topic: string): Promise<StoredTopic> {
    const stored = await this.#get(topic);
    if (stored === undefined) throw unknownTopic(topic);
    return stored;
  }

  async #get(topic: string): Promise<StoredTopic | undefined> {
    const entry = await available(`topic ${topic} cannot be looked up`, this.#bucket.get(topicKey(topic)));
    return entry && { record: decodeTopic(topic, entry.value), revision: entry.revision };
  }

  async #createStreams(topic: string, { id, partitions }: TopicRecord): Promise<void> {
    const create = (stream: PartitionStream, partition: number) =>
      stream.create({ "logstore-topic": topic, "logstore-partition": `${partition}` });
    await Promise.all(this.#streams(id, partitions).map(create));
  }

  async #deleteStreams({ id, partitions }: Pick<TopicRecord, "id" | "partitions">): Promise<void> {
    await Promise.all(this.#streams(id, partitions).map((stream) => stream.delete()));
  }

  #streams(id: string, partitions: number): PartitionStream[] {
    return Array.from({ length: partitions }, (_, i) => new PartitionStream(this.#nats, this.#names.partition(id, i)));
  }

  #location(topic: string): string {
    return `KV ${this.#names.bucket}, key ${topicKey(topic)}`;
  }
}

function exists(topic: string): TopicExistsError {
  return new TopicExistsError(`topic ${topic} exists already`, { topic });
}

function unknownTopic(topic: string): UnknownTopicError {
  return new UnknownTopicError(`there is no topic ${topic}: it was deleted`, { topic });
}
