/** The topics of a broker by name. Each is open, being opened, or unreadable. */
import { type LogStoreError, UnavailableError, UnknownTopicError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import type { FoundTopic, Topic, TopicCatalogue, UnopenableTopic } from "../../engine/topic-catalogue.js";
import { tell } from "../../hooks/hooks.js";
import { storageError } from "../../storage/storage-error.js";
import { checkTopicId } from "./check-topic.js";

/** Progress of opening a broker's topics. */
export interface OpeningProgress {
  /** Number of topics found. */
  readonly topics: number;
  /** Number of them that are open, or could not be opened. */
  readonly done: number;
}

/** When to retry a call to a topic that is being opened, in ms. */
const OPENING_RETRY_MS = 250;

export class Topics<T extends Topic = Topic> {
  /** Those that could not be opened. */
  readonly unreadable: UnopenableTopic[] = [];
  /** Called when a topic is added or removed, or its health may have changed. */
  readonly changed = new Set<() => void>();
  readonly #catalogue: TopicCatalogue<T>;
  readonly #open = new Map<string, T>();
  readonly #opening = new Map<string, FoundTopic>();
  #found = 0;

  constructor(catalogue: TopicCatalogue<T>) {
    this.#catalogue = catalogue;
  }

  get progress(): OpeningProgress {
    return { topics: this.#found, done: this.#found - this.#opening.size };
  }

  /**
   * @throws UnavailableError while topics are being opened: a call for all topics would omit them
   */
  checkAllOpen(): void {
    const { topics, done } = this.progress;
    if (done === topics) return;
    throw new UnavailableError(`${done} of ${topics} topics are open: try again when all are`, {
      retryAfterMs: OPENING_RETRY_MS,
    });
  }

  /** The open topics, by name. */
  list(): T[] {
    return [...this.#open.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }

  /** The topics that are being opened. */
  opening(): FoundTopic[] {
    return [...this.#opening.values()];
  }

  /** Whether the topic is open. */
  has(topic: string): boolean {
    return this.#open.has(topic);
  }

  /**
   * Whether the topic is open or being opened.
   *
   * @param id the expected id of an open topic; undefined or empty is not checked
   */
  isKnown(topic: string, id?: string): boolean {
    const open = this.#open.get(topic);
    return open === undefined ? this.#opening.has(topic) : !id || open.id === id;
  }

  /** Whether a topic of this name exists: open, being opened or unreadable. */
  isTaken(topic: string): boolean {
    return this.#open.has(topic) || this.#opening.has(topic) || this.#isUnreadable(topic);
  }

  /**
   * @param id the expected id of the topic; undefined or empty is not checked
   * @throws UnknownTopicError, InconsistentTopicIdError, UnavailableError while it is being opened
   */
  get(topic: string, id?: string): T {
    const open = this.#open.get(topic);
    if (open !== undefined) {
      checkTopicId(open, id);
      return open;
    }
    if (this.#opening.has(topic)) {
      throw new UnavailableError(`topic ${topic} is being opened: try again`, {
        topic,
        retryAfterMs: OPENING_RETRY_MS,
      });
    }
    const unreadable = this.unreadable.find((other) => other.topic === topic);
    if (unreadable !== undefined) throw unreadable.error.with({ topic });
    throw new UnknownTopicError(`there is no topic ${JSON.stringify(topic.slice(0, 300))}: create it first`, { topic });
  }

  /**
   * Whether all partitions of a topic can be read and appended to.
   *
   * @throws UnknownTopicError
   */
  isSound(topic: string): boolean {
    if (this.#opening.has(topic)) return false;
    return !this.#isUnreadable(topic) && this.get(topic).failedPartitions.length === 0;
  }

  /** The largest batch that any topic accepts, or would accept by default, in bytes. */
  largestBatchBytes(): number {
    let most = this.effectiveConfig({}).maxBatchBytes ?? 0;
    for (const { config } of this.#open.values()) most = Math.max(most, config.maxBatchBytes ?? 0);
    return most;
  }

  /** The configuration in effect for a topic with the given one. */
  effectiveConfig(config: TopicConfig): TopicConfig {
    return this.#catalogue.effectiveConfig(config);
  }

  tellChanged(): void {
    for (const changed of this.changed) tell(changed);
  }

  // For the lifecycle of topics

  /** Topics were found, and are about to be opened. */
  found(topics: readonly FoundTopic[]): void {
    for (const each of topics) this.#opening.set(each.topic, each);
    this.#found = topics.length;
  }

  /** A topic that was found is open, or could not be opened. */
  settled({ topic }: FoundTopic): void {
    this.#opening.delete(topic);
    this.tellChanged();
  }

  put(open: T): T {
    this.#open.set(open.topic, open);
    this.tellChanged();
    return open;
  }

  /** The caller reports the change. */
  remove(topic: string): void {
    this.#open.delete(topic);
  }

  /** Adds a topic that cannot be opened; returns its error. */
  putUnreadable({ topic, id, location }: FoundTopic, cause: unknown): LogStoreError {
    const error = storageError(cause, `${location} cannot be read`);
    this.unreadable.push({ location, topic, id, error });
    this.tellChanged();
    return error;
  }

  /** Removes the unreadable topic of this name; returns whether there was one. */
  removeUnreadable(topic: string): boolean {
    const i = this.unreadable.findIndex((other) => other.topic === topic);
    if (i >= 0) this.unreadable.splice(i, 1);
    return i >= 0;
  }

  #isUnreadable(topic: string): boolean {
    return this.unreadable.some((other) => other.topic === topic);
  }
}
