/** Follows the keys of a bucket that say which brokers there are, and who owns what. */
import type { KvWatchEntry } from "@nats-io/kv";
import type { Bucket } from "../nats/bucket.js";
import { ANY_LEASE, ANY_TOPIC, OWNERS_KEY } from "../nats/names.js";

export class ClusterWatch {
  readonly #bucket: Bucket;
  readonly #see: (entry: KvWatchEntry) => void;
  #watch: { stop(): void } | undefined;
  /** Number of watches that were begun; only the last one counts. */
  #count = 0;
  #isStopped = false;

  /** @param see called with each value and each change of it */
  constructor(bucket: Bucket, see: (entry: KvWatchEntry) => void) {
    this.#bucket = bucket;
    this.#see = see;
  }

  /** Begins a watch, in place of the one before. */
  async begin(): Promise<void> {
    const number = ++this.#count;
    this.#watch?.stop();
    this.#watch = undefined;
    const watch = await this.#bucket.follow([ANY_LEASE, ANY_TOPIC, OWNERS_KEY], (entry) => {
      if (number === this.#count) this.#see(entry);
    });
    if (number === this.#count && !this.#isStopped) this.#watch = watch;
    else watch.stop();
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch?.stop();
  }
}
