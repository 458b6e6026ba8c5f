/** Follows the changes that other brokers make to topics. */
import type { KvWatchEntry } from "@nats-io/kv";
import type { Bucket } from "../nats/bucket.js";
import { ANY_TOPIC, topicOf } from "../nats/names.js";
import type { JetStreamTopic } from "./jetstream-topic.js";
import { decodeTopic } from "./topic-record.js";

/** Own changes that are remembered until the watch has seen them. */
const MAX_OWN = 1_000;

export class TopicWatch {
  readonly #bucket: Bucket;
  readonly #open: ReadonlySet<JetStreamTopic>;
  /** Revisions that this broker has set. */
  readonly #own = new Set<number>();
  /** Changes that are being made by this broker. */
  readonly #making = new Set<Promise<unknown>>();
  #changed: (topic: string) => void = () => {};
  #seen: Promise<void> = Promise.resolve();
  #watch: { stop(): void } | undefined;

  /** @param open the topics that are open, which follow the changes */
  constructor(bucket: Bucket, open: ReadonlySet<JetStreamTopic>) {
    this.#bucket = bucket;
    this.#open = open;
  }

  onChange(changed: (topic: string) => void): void {
    this.#changed = changed;
  }

  async start(): Promise<void> {
    this.#watch = await this.#bucket.watch(ANY_TOPIC, (entry) => {
      this.#seen = this.#seen.then(() => this.#see(entry)).catch(() => {});
    });
  }

  /** A change that this broker makes, of which it is not told. */
  async own(change: Promise<number | undefined>): Promise<number | undefined> {
    const noted = change.then((revision) => {
      if (revision === undefined) return;
      this.#own.add(revision);
      if (this.#own.size > MAX_OWN) this.#own.delete(this.#own.values().next().value!);
    });
    const making = noted.catch(() => {}).finally(() => this.#making.delete(making));
    this.#making.add(making);
    await noted;
    return change;
  }

  async stop(): Promise<void> {
    this.#watch?.stop();
    await this.#seen;
  }

  async #see({ key, operation, value, revision }: KvWatchEntry): Promise<void> {
    await Promise.all(this.#making); // the watch may be faster than the answer to the change
    if (this.#own.delete(revision)) return;
    const topic = topicOf(key);
    const record = operation === "PUT" ? decodeTopic(topic, value) : undefined;
    for (const each of this.#open) {
      if (each.topic !== topic) continue;
      if (each.id === record?.id) each.altered(record.config);
      else await each.close();
    }
    this.#changed(topic);
  }
}
