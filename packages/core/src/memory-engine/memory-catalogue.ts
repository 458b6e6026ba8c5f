/** Topics in memory. */
import {
  fnvPartitioner,
  InvalidArgumentError,
  TopicExistsError,
  UnknownPartitionError,
  UnknownTopicError,
} from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import { checkDurability } from "../engine/append/check-durability.js";
import type { FoundTopic, FoundTopics, SharedCatalogue, Topic, TopicCatalogue } from "../engine/topic-catalogue.js";
import type { MemoryHome, StoredTopic } from "./memory-home.js";
import { MEMORY_DURABILITIES, type MemoryConfig, MemoryLog } from "./memory-log.js";

const MIB = 1024 * 1024;
const DEFAULTS = { durability: "written", segmentBytes: 64 * MIB, maxBatchBytes: 16 * MIB } as const;

export class MemoryTopic implements Topic {
  readonly location: string;
  readonly partitioner = fnvPartitioner.name;
  readonly stored: StoredTopic;
  readonly #logs: readonly MemoryLog[];

  constructor(stored: StoredTopic, healthChanged: () => void) {
    this.stored = stored;
    this.location = locationOf(stored.topic);
    const configOf = () => effectiveConfig(this.config);
    this.#logs = stored.partitions.map((partition) => new MemoryLog(partition, configOf, healthChanged));
  }

  get topic(): string {
    return this.stored.topic;
  }

  get id(): string {
    return this.stored.id;
  }

  get config(): TopicConfig {
    return this.stored.config;
  }

  get failedPartitions(): readonly number[] {
    return this.#logs.filter(({ knownDamage }) => knownDamage !== undefined).map(({ partition }) => partition);
  }

  get partitionCount(): number {
    return this.#logs.length;
  }

  log(partition: number): MemoryLog {
    const log = this.#logs[partition];
    if (log !== undefined) return log;
    throw new UnknownPartitionError(`topic ${this.topic} has ${this.partitionCount} partitions, and no ${partition}`, {
      partition,
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#logs.map((log) => log.close()));
  }
}

export class MemoryCatalogue implements TopicCatalogue<MemoryTopic>, SharedCatalogue {
  readonly #home: MemoryHome;
  readonly #healthChanged: () => void;
  #changed: (topic: string) => void = () => {};
  readonly #listener = (topic: string) => this.#changed(topic);

  constructor(home: MemoryHome, healthChanged: () => void) {
    this.#home = home;
    this.#healthChanged = healthChanged;
    home.listen(this.#listener);
  }

  get shared(): SharedCatalogue {
    return this;
  }

  onChange(changed: (topic: string) => void): void {
    this.#changed = changed;
  }

  async lookUp(topic: string): Promise<FoundTopic | undefined> {
    const stored = this.#home.topics.get(topic);
    return stored && foundTopic(stored);
  }

  async find(): Promise<FoundTopics> {
    return { topics: [...this.#home.topics.values()].map(foundTopic), unreadable: [] };
  }

  async partitionCount({ topic }: FoundTopic): Promise<number> {
    return this.#stored(topic).partitions.length;
  }

  async open({ topic }: FoundTopic): Promise<MemoryTopic> {
    return new MemoryTopic(this.#stored(topic), this.#healthChanged);
  }

  async create(topic: string, partitions: number, config: TopicConfig): Promise<MemoryTopic> {
    if (this.#home.topics.has(topic)) throw new TopicExistsError(`topic ${topic} exists already`, { topic });
    return new MemoryTopic(this.#home.create(topic, partitions, config, this.#listener), this.#healthChanged);
  }

  async alter({ stored }: MemoryTopic, change: (config: TopicConfig) => TopicConfig): Promise<void> {
    if (this.#stored(stored.topic) !== stored) throw unknownTopic(stored.topic);
    this.#home.alter(stored, change(stored.config), this.#listener);
  }

  async delete({ stored }: MemoryTopic): Promise<void> {
    this.#home.delete(stored, this.#listener);
  }

  effectiveConfig(config: TopicConfig): TopicConfig {
    return effectiveConfig(config);
  }

  close(): void {
    this.#home.leave(this.#listener);
  }

  #stored(topic: string): StoredTopic {
    const stored = this.#home.topics.get(topic);
    if (stored === undefined) throw unknownTopic(topic);
    return stored;
  }
}

function foundTopic({ topic, id }: StoredTopic): FoundTopic {
  return { topic, id, location: locationOf(topic) };
}

function locationOf(topic: string): string {
  return `memory/${topic}`;
}

function unknownTopic(topic: string): UnknownTopicError {
  return new UnknownTopicError(`there is no topic ${topic}: it was deleted`, { topic });
}

function effectiveConfig(config: TopicConfig): MemoryConfig {
  if (config.durability !== undefined) checkDurability(config.durability, MEMORY_DURABILITIES);
  for (const [name, value] of Object.entries(config)) {
    if (name === "durability" || (Number.isSafeInteger(value) && (value as number) >= 0)) continue;
    throw new InvalidArgumentError(`${name} is a whole number, not ${value}`);
  }
  return { ...DEFAULTS, ...config, maxBatchBytes: config.maxBatchBytes ?? DEFAULTS.maxBatchBytes };
}
