/** A topic whose partitions are files: a log store with a name and a configuration. */
import type { TopicConfig } from "@logstore/protocol";
import type { Topic } from "../engine/topic-catalogue.js";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { LogStore } from "../store/log-store.js";

export class FileTopic implements Topic {
  readonly topic: string;
  readonly id: string;
  /** Its directory. */
  readonly location: string;
  readonly store: LogStore;
  #config: TopicConfig;

  constructor(topic: string, id: string, location: string, store: LogStore, config: TopicConfig) {
    this.topic = topic;
    this.id = id;
    this.location = location;
    this.store = store;
    this.#config = config;
  }

  get config(): TopicConfig {
    return this.#config;
  }

  get partitioner(): string {
    return this.store.partitioner;
  }

  get partitionCount(): number {
    return this.store.partitionCount;
  }

  get failedPartitions(): readonly number[] {
    return this.store.failedPartitions;
  }

  log(partition: number): FilePartitionLog {
    return this.store.log(partition);
  }

  /** @param options the options in effect in its log store from now on */
  altered(config: TopicConfig, options: TopicConfig): void {
    this.store.alter(options);
    this.#config = config;
  }

  abandon(): void {
    this.store.abandon();
  }

  close(): Promise<void> {
    return this.store.close();
  }
}
