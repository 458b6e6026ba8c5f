/** Partitions of which it is not known what other brokers have changed, and why. */
import type { LogStoreError } from "@logstore/codec";

export class RefreshFailures {
  readonly #topics = new Map<string, LogStoreError>();
  readonly #partitions = new Map<string, LogStoreError>();

  get isEmpty(): boolean {
    return this.#topics.size + this.#partitions.size === 0;
  }

  /** @param partition undefined if nothing is known of the whole topic */
  add(error: LogStoreError, topic: string, partition?: number): void {
    if (partition === undefined) this.#topics.set(topic, error);
    else this.#partitions.set(`${topic}/${partition}`, error);
  }

  /** @param partition undefined: only an error of the whole topic is returned */
  of(topic: string, partition?: number): LogStoreError | undefined {
    return this.#topics.get(topic) ?? this.#partitions.get(`${topic}/${partition}`);
  }

  *[Symbol.iterator](): Generator<LogStoreError, void> {
    yield* this.#topics.values();
    yield* this.#partitions.values();
  }
}
