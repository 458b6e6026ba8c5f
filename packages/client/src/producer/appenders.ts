import type { LogApi } from "@logstore/protocol";
import { type CloseOptions, type Registry, settledWithin } from "../common/registry.js";
import { AppendBudget } from "./append-budget.js";
import { AppendTopics } from "./append-topics.js";
import { PartitionAppender } from "./partition-appender.js";

/** Largest number of idle appenders that are kept for later appends. */
const MAX_IDLE_APPENDERS = 1_000;

/** The appends of a client: an appender for each partition, and their common budget. */
export class Appenders {
  readonly #api: LogApi;
  readonly #registry: Registry;
  readonly #budget = new AppendBudget();
  readonly #topics: AppendTopics;
  /** The least recently used first. */
  readonly #byPartition = new Map<string, PartitionAppender>();

  constructor(api: LogApi, registry: Registry) {
    this.#api = api;
    this.#registry = registry;
    this.#topics = new AppendTopics(api);
    registry.addWriter(this);
  }

  /** @throws ClosedError */
  of(topic: string, partition: number): PartitionAppender {
    this.#registry.checkWritable();
    const key = `${topic}/${partition}`;
    const appender =
      this.#byPartition.get(key) ?? new PartitionAppender(this.#api, this.#topics, topic, partition, this.#budget);
    this.#byPartition.delete(key);
    this.#dropIdle();
    this.#byPartition.set(key, appender);
    return appender;
  }

  /**
   * Drops one idle appender at the limit. The next append to its partition describes the topic
   * again.
   */
  #dropIdle(): void {
    if (this.#byPartition.size < MAX_IDLE_APPENDERS) return;
    for (const [key, appender] of this.#byPartition) {
      if (!appender.isIdle) continue;
      this.#byPartition.delete(key);
      return;
    }
  }

  /**
   * Resolves when every append is settled. Appends that are not settled after `timeoutMs` are
   * rejected with a ClosedError.
   */
  async close({ timeoutMs = Number.POSITIVE_INFINITY }: CloseOptions): Promise<void> {
    const appenders = [...this.#byPartition.values()];
    const settled = Promise.all(appenders.map((one) => one.settled()));
    if (!(await settledWithin(settled, timeoutMs))) for (const one of appenders) one.abandon();
  }
}
