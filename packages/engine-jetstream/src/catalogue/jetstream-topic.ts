/** An open topic: its record, and the logs of its partitions. */
import { UnknownPartitionError } from "@logstore/codec";
import type { Topic, TopicConfig } from "@logstore/core/engine";
import type { JetStreamLog } from "../partition/jetstream-log.js";
import type { TopicRecord } from "./topic-record.js";

export class JetStreamTopic implements Topic {
  readonly topic: string;
  readonly location: string;
  #record: TopicRecord;
  readonly logs: readonly JetStreamLog[];
  #isClosed = false;

  /** @param makeLog makes the log of a partition, whose configuration is `topic.config` */
  constructor(
    topic: string,
    location: string,
    record: TopicRecord,
    makeLog: (topic: JetStreamTopic, partition: number) => JetStreamLog,
  ) {
    this.topic = topic;
    this.location = location;
    this.#record = record;
    this.logs = Array.from({ length: record.partitions }, (_, partition) => makeLog(this, partition));
  }

  get id(): string {
    return this.#record.id;
  }

  get config(): TopicConfig {
    return this.#record.config;
  }

  get partitioner(): string {
    return this.#record.partitioner;
  }

  get partitionCount(): number {
    return this.logs.length;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get failedPartitions(): readonly number[] {
    const failed = this.logs.filter((log) => log.knownDamage !== undefined || log.isUnavailable);
    return failed.map(({ partition }) => partition);
  }

  log(partition: number): JetStreamLog {
    const log = this.logs[partition];
    if (log !== undefined) return log;
    throw new UnknownPartitionError(`topic ${this.topic} has ${this.partitionCount} partitions, and no ${partition}`, {
      partition,
    });
  }

  /** The topic was altered, by this broker or another one. */
  altered(config: TopicConfig): void {
    this.#record = { ...this.#record, config };
  }

  /** Learns the bounds of all logs. */
  async refresh(): Promise<void> {
    await Promise.all(this.logs.map((log) => log.refresh()));
  }

  async applyRetention(): Promise<void> {
    for (const log of this.logs) if (!log.isClosed) await log.applyRetention();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.logs.map((log) => log.close()));
  }
}
