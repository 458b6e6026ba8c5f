/** Topics in memory. */
import { randomUUID } from "node:crypto";
import { fnvPartitioner, InvalidArgumentError, UnknownPartitionError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import { checkDurability } from "../engine/append/check-durability.js";
import type { FoundTopic, FoundTopics, Topic, TopicCatalogue } from "../engine/topic-catalogue.js";
import { MEMORY_DURABILITIES, type MemoryConfig, MemoryLog } from "./memory-log.js";

const MIB = 1024 * 1024;
const DEFAULTS = { durability: "written", segmentBytes: 64 * MIB, maxBatchBytes: 16 * MIB } as const;

export class MemoryTopic implements Topic {
  readonly topic: string;
  readonly id = randomUUID();
  readonly location: string;
  readonly partitioner = fnvPartitioner.name;
  readonly failedPartitions: readonly number[] = [];
  readonly #logs: readonly MemoryLog[];
  config: TopicConfig;

  constructor(topic: string, partitions: number, config: TopicConfig) {
    this.topic = topic;
    this.location = `memory/${topic}`;
    this.config = config;
    const configOf = () => effectiveConfig(this.config);
    this.#logs = Array.from({ length: partitions }, (_, partition) => new MemoryLog(partition, configOf));
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
    for (const log of this.#logs) await log.close();
  }
}

export class MemoryCatalogue implements TopicCatalogue<MemoryTopic> {
  async find(): Promise<FoundTopics> {
    return { topics: [], unreadable: [] };
  }

  async partitionCount(): Promise<number> {
    throw new Error("nothing is found in memory");
  }

  async open({ topic }: FoundTopic): Promise<MemoryTopic> {
    throw new Error(`topic ${topic} was created open, and is gone when it was deleted`);
  }

  async create(topic: string, partitions: number, config: TopicConfig): Promise<MemoryTopic> {
    return new MemoryTopic(topic, partitions, config);
  }

  async alter(topic: MemoryTopic, config: TopicConfig): Promise<void> {
    topic.config = config;
  }

  async delete(): Promise<void> {}

  effectiveConfig(config: TopicConfig): TopicConfig {
    return effectiveConfig(config);
  }
}

function effectiveConfig(config: TopicConfig): MemoryConfig {
  if (config.durability !== undefined) checkDurability(config.durability, MEMORY_DURABILITIES);
  for (const [name, value] of Object.entries(config)) {
    if (name === "durability" || (Number.isSafeInteger(value) && (value as number) >= 0)) continue;
    throw new InvalidArgumentError(`${name} is a whole number, not ${value}`);
  }
  return { ...DEFAULTS, ...config, maxBatchBytes: config.maxBatchBytes ?? DEFAULTS.maxBatchBytes };
}
