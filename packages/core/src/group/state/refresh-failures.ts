/** Partitions of which it is not known what other brokers have changed, and why. */
import type { LogStoreError } from "@logstore/codec";

export class RefreshFailures {
  readonly #topics = new Map<string, LogStoreError>();
  readonly #partitions = new Map<string, LogStoreError>();
  /** The topics that are in here, or of which a partition is. */
  readonly #concerned = new Set<string>();

  get isEmpty(): boolean {
    return this.#topics.size + this.#partitions.size === 0;
  }

  /** @param partition undefined if nothing is known of the whole topic */
  add(error: LogStoreError, topic: string, partition?: number): void {
    this.#concerned.add(topic);
    if (partition === undefined) this.#topics.set(topic, error);
    else this.#partitions.set(`${topic}/${partition}`, error);
  }

  /** @param partition undefined: only an error of the whole topic is returned */
  of(topic: string, partition?: number): LogStoreError | undefined {
    return this.#topics.get(topic) ?? this.#partitions.get(`${topic}/${partition}`);
  }

  /** Whether a topic, or any partition of it, is in here. */
  concerns(topic: string): boolean {
    return this.#concerned.has(topic);
  }

  /** Whether all topics and partitions of `others` are in here. */
  includes(others: RefreshFailures): boolean {
    for (const topic of others.#topics.keys()) if (!this.#topics.has(topic)) return false;
    for (const partition of others.#partitions.keys()) if (!this.#partitions.has(partition)) return false;
    return true;
  }

  *[Symbol.iterator](): Generator<LogStoreError, void> {
    yield* this.#topics.values();
    yield* this.#partitions.values();
  }
}
