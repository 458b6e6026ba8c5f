import { defaultBatchLimits } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

/** The properties of a topic that an append depends on. */
export interface AppendTopic {
  /** Empty if the server reports none: then it is not checked. */
  readonly topicId: string;
  /** Largest batch that the topic and the server accept, bytes. */
  readonly maxBatchBytes: number;
}

/** Limit of the cache: a client may append to any number of topics in its lifetime. */
const MAX_KNOWN_TOPICS = 1_000;

/**
 * Describes the topics that a client appends to, and caches the result until it turns out to be
 * outdated.
 */
export class AppendTopics {
  readonly #api: LogApi;
  /** The oldest entry first. */
  readonly #known = new Map<string, AppendTopic>();
  readonly #asked = new Map<string, Promise<AppendTopic>>();

  constructor(api: LogApi) {
    this.#api = api;
  }

  async learn(topic: string): Promise<AppendTopic> {
    const known = this.#known.get(topic);
    if (known !== undefined) return known;
    const asked = this.#asked.get(topic) ?? this.#ask(topic).finally(() => this.#asked.delete(topic));
    this.#asked.set(topic, asked);
    return asked;
  }

  /** Has the topic described again, unless that was done since `stale`. */
  forget(topic: string, stale: AppendTopic): void {
    if (this.#known.get(topic) === stale) this.#known.delete(topic);
  }

  async #ask(topic: string): Promise<AppendTopic> {
    const { topicId, effectiveConfig } = await this.#api.describeTopic(topic);
    const { maxBatchBytes = defaultBatchLimits.maxBatchBytes } = effectiveConfig;
    const known = { topicId, maxBatchBytes };
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN_TOPICS) this.#known.delete(oldest!);
    this.#known.set(topic, known);
    return known;
  }
}
