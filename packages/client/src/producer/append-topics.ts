import { defaultBatchLimits } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

/** What an append has to know of its topic. */
export interface AppendTopic {
  /** Empty where the server knows of none: then nothing is checked. */
  readonly topicId: string;
  /** Largest batch that the topic and the server take. */
  readonly maxBatchBytes: number;
}

/**
 * More topics than this are asked for again: topics come and go, and a client may outlive any
 * number of them.
 */
const MAX_KNOWN_TOPICS = 1_000;

/** The topics that a client appends to, each asked for once, until it turns out to have changed. */
export class AppendTopics {
  readonly #api: LogApi;
  /** The one learned longest ago first. */
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

  /** It is asked for again, unless it was since `stale`. */
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
