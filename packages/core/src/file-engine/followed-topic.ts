/** A topic in a data directory that another process writes to. */
import type { TopicConfig } from "@logstore/protocol";
import type { Topic } from "../engine/topic-catalogue.js";
import type { FollowedLog } from "../partition/followed-log.js";
import type { ReadOnlyLogStore } from "../store/read-only-log-store.js";

export class FollowedTopic implements Topic {
  readonly topic: string;
  readonly id: string;
  readonly location: string;
  /** As last read: the writer may alter it. */
  config: TopicConfig;
  readonly #store: ReadOnlyLogStore;

  constructor(topic: string, id: string, location: string, config: TopicConfig, store: ReadOnlyLogStore) {
    this.topic = topic;
    this.id = id;
    this.location = location;
    this.config = config;
    this.#store = store;
  }

  get partitioner(): string {
    return this.#store.partitioner;
  }

  get partitionCount(): number {
    return this.#store.partitionCount;
  }

  get failedPartitions(): readonly number[] {
    const partitions = Array.from({ length: this.partitionCount }, (_, partition) => partition);
    return partitions.filter((partition) => this.log(partition).knownDamage !== undefined);
  }

  log(partition: number): FollowedLog {
    return this.#store.log(partition);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
