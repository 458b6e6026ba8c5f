/** The storage of engines in memory: topics, map and journals. It lasts as long as its object. */
import { randomUUID } from "node:crypto";
import type { TopicConfig } from "@logstore/protocol";
import type { DurableMap, MapEntry } from "../engine/durable-map.js";
import { MemoryPartition } from "./memory-partition.js";

/** A stored topic, shared by the engines that have it open. */
export interface StoredTopic {
  readonly topic: string;
  readonly id: string;
  readonly partitions: readonly MemoryPartition[];
  config: TopicConfig;
}

/** The groups' journal of one broker. */
export interface StoredJournal {
  log?: MemoryPartition;
  snapshot?: Uint8Array;
}

/** Called with the name of a topic that was created, altered or deleted. */
export type TopicListener = (topic: string) => void;

class MemoryMap implements DurableMap {
  readonly #entries = new Map<string, MapEntry>();
  #lastRevision = 0;

  async get(key: string): Promise<MapEntry | undefined> {
    const entry = this.#entries.get(key);
    return entry && { ...entry, value: new Uint8Array(entry.value) };
  }

  async compareAndSet(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    if ((this.#entries.get(key)?.revision ?? 0) !== revision) return undefined;
    this.#lastRevision++;
    this.#entries.set(key, { value: new Uint8Array(value), revision: this.#lastRevision });
    return this.#lastRevision;
  }
}

/**
 * What engines in memory store. Engines with the same home share it, like the brokers of a cluster.
 */
export class MemoryHome {
  /** @internal */
  readonly map: DurableMap = new MemoryMap();
  /** @internal */
  readonly topics = new Map<string, StoredTopic>();
  readonly #journals = new Map<string, StoredJournal>();
  readonly #listeners = new Set<TopicListener>();

  /** @internal Returns the journal of a broker, the same one for the same name. */
  journal(broker: string): StoredJournal {
    const journal = this.#journals.get(broker) ?? {};
    this.#journals.set(broker, journal);
    return journal;
  }

  /** @internal */
  create(topic: string, partitionCount: number, config: TopicConfig, by: TopicListener): StoredTopic {
    const partitions = Array.from({ length: partitionCount }, (_, partition) => new MemoryPartition(partition));
    const stored = { topic, id: randomUUID(), partitions, config };
    this.topics.set(topic, stored);
    this.#tellOthers(topic, by);
    return stored;
  }

  /** @internal */
  alter(stored: StoredTopic, config: TopicConfig, by: TopicListener): void {
    stored.config = config;
    this.#tellOthers(stored.topic, by);
  }

  /** @internal */
  delete(stored: StoredTopic, by: TopicListener): void {
    if (this.topics.get(stored.topic) !== stored) return; // another engine has deleted it
    this.topics.delete(stored.topic);
    for (const partition of stored.partitions) partition.deleted();
    this.#tellOthers(stored.topic, by);
  }

  /** @internal Deletes the records that exceed the limits of their topics. */
  applyRetention(): void {
    for (const { partitions, config } of this.topics.values()) {
      for (const partition of partitions) partition.retain(config);
    }
  }

  /** @internal */
  listen(listener: TopicListener): void {
    this.#listeners.add(listener);
  }

  /** @internal */
  leave(listener: TopicListener): void {
    this.#listeners.delete(listener);
  }

  #tellOthers(topic: string, by: TopicListener): void {
    for (const listener of this.#listeners) if (listener !== by) listener(topic);
  }
}
