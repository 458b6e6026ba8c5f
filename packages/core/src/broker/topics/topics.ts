/**
 * The topics of a broker, by name: found and opened when the broker is; created, altered and
 * deleted one change of a topic at a time. An engine's catalogue keeps them.
 */
import {
  ClosedError,
  InconsistentTopicIdError,
  InvalidArgumentError,
  TopicExistsError,
  UnavailableError,
  UnknownTopicError,
} from "@logstore/codec";
import type { TopicConfig, TopicConfigChange, TopicSummary } from "@logstore/protocol";
import {
  type FoundTopic,
  type Topic,
  type TopicCatalogue,
  TopicUnsettledError,
  type UnopenableTopic,
} from "../../engine/topic-catalogue.js";
import { changedConfig } from "../../engine/topic-config.js";
import { checkTopicName } from "../../engine/topic-name.js";
import { detailOf } from "../../errors/error-detail.js";
import { tell } from "../../hooks/hooks.js";
import { eachInParallel, inParallel } from "../../storage/in-parallel.js";
import { storageError, withStorageErrors } from "../../storage/storage-error.js";
import { KeyedQueue } from "./keyed-queue.js";
import { TopicTotals } from "./topic-limits.js";

/**
 * Makes a topic, as the catalogue's `create` does.
 *
 * @param reserve to be called with the number of partitions before they are made; throws
 * ResourceLimitExceededError
 */
export type Make<T extends Topic> = (reserve: (partitions: number) => void) => Promise<T>;

/** How many topics were found, and how many of them are open, or could not be opened. */
export interface OpeningProgress {
  readonly topics: number;
  readonly done: number;
}

/** A call to a topic that is being opened may be repeated after so long, ms. */
const OPENING_RETRY_MS = 250;
const MAX_PARTITIONS = 1_000_000;

export class Topics<T extends Topic = Topic> {
  readonly unreadable: UnopenableTopic[] = [];
  /** Called when a topic came, went or failed. */
  readonly changed = new Set<() => void>();
  readonly #catalogue: TopicCatalogue<T>;
  readonly #totals: TopicTotals;
  readonly #topics = new Map<string, T>();
  /** Found, and not open yet; by name. */
  readonly #opening = new Map<string, FoundTopic>();
  #found = 0;
  /** Resolves when no topic is being opened any more. */
  #opened: Promise<void> = Promise.resolve();
  /** Opens, makes, alters and deletes. */
  readonly #changing = new KeyedQueue();
  #closed = false;

  private constructor(catalogue: TopicCatalogue<T>, totals: TopicTotals) {
    this.#catalogue = catalogue;
    this.#totals = totals;
  }

  /**
   * Finds the topics, and begins to open them: see {@link opened}. Until it is open, a topic
   * answers with an {@link UnavailableError}.
   */
  static async open<T extends Topic>(catalogue: TopicCatalogue<T>, totals = new TopicTotals()): Promise<Topics<T>> {
    const topics = new Topics(catalogue, totals);
    const found = await catalogue.find();
    topics.unreadable.push(...found.unreadable);
    totals.add({ topics: found.topics.length + found.unreadable.length });
    topics.#openAll(found.topics);
    return topics;
  }

  /** Resolves when every topic that was found is open, or could not be opened. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  get progress(): OpeningProgress {
    return { topics: this.#found, done: this.#found - this.#opening.size };
  }

  /**
   * @throws UnavailableError while topics are being opened: what is said of all would leave them
   * out
   */
  checkAllOpen(): void {
    const { topics, done } = this.progress;
    if (done === topics) return;
    throw new UnavailableError(`${done} of ${topics} topics are open: try again when all are`, {
      retryAfterMs: OPENING_RETRY_MS,
    });
  }

  /** Those that are open, by name. */
  list(): T[] {
    return [...this.#topics.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }

  /**
   * The topics that are still being opened, as their files describe them; one whose files cannot be
   * read has a `damage`.
   */
  async beingOpened(): Promise<TopicSummary[]> {
    const summaries: TopicSummary[] = [];
    await inParallel([...this.#opening.values()], async (found) => {
      const { topic, id = "" } = found;
      try {
        summaries.push({ topic, topicId: id, partitionCount: await this.#catalogue.partitionCount(found) });
      } catch (cause) {
        const damage = detailOf(storageError(cause, `topic ${topic} cannot be read`, { topic }));
        summaries.push({ topic, topicId: id, partitionCount: 0, damage });
      }
    });
    return summaries;
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /**
   * @param id what the caller knows the topic by; undefined or empty is not checked
   * @throws UnknownTopicError, InconsistentTopicIdError, UnavailableError while it is being opened
   */
  get(topic: string, id?: string): T {
    const open = this.#topics.get(topic);
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

  /** Longest batch that some topic takes, or would by default, bytes. */
  largestBatchBytes(): number {
    let most = this.effectiveConfig({}).maxBatchBytes ?? 0;
    for (const { config } of this.#topics.values()) most = Math.max(most, config.maxBatchBytes ?? 0);
    return most;
  }

  /** What is in force where a topic is configured so. */
  effectiveConfig(config: TopicConfig): TopicConfig {
    return this.#catalogue.effectiveConfig(config);
  }

  /**
   * @param ifNotExists resolve to a topic that exists with as many partitions, as it is
   * @throws InvalidArgumentError, TopicExistsError, ResourceLimitExceededError
   */
  async create(topic: string, partitions: number, change: TopicConfigChange = {}, ifNotExists = false): Promise<T> {
    this.#checkOpen(topic);
    checkTopicName(topic);
    checkPartitions(topic, partitions);
    const config = this.#changed({}, change);
    const make: Make<T> = (reserve) => {
      reserve(partitions);
      return this.#catalogue.create(topic, partitions, config);
    };
    if (!ifNotExists) return this.add(topic, make);
    return this.#change(topic, () =>
      this.#isTaken(topic) ? this.#getWith(topic, partitions) : this.#make(topic, make),
    );
  }

  /**
   * @throws TopicExistsError where it has another number of partitions; what opening it failed with
   */
  async #getWith(topic: string, partitions: number): Promise<T> {
    const found = this.get(topic);
    const { partitionCount } = found;
    if (partitionCount === partitions) return found;
    throw new TopicExistsError(`topic ${topic} exists already, with ${partitionCount} partitions, not ${partitions}`, {
      topic,
      expected: partitions,
      actual: partitionCount,
    });
  }

  /**
   * Adds a topic.
   *
   * @throws InvalidArgumentError, TopicExistsError, ResourceLimitExceededError; what `make` throws
   */
  async add(topic: string, make: Make<T>): Promise<T> {
    this.#checkOpen(topic);
    checkTopicName(topic);
    return this.#change(topic, () => {
      // Looked at when it is this call's turn: a topic that is told to exist can be used.
      if (!this.#isTaken(topic)) return this.#make(topic, make);
      throw new TopicExistsError(`topic ${topic} exists already`, { topic });
    });
  }

  /**
   * Does something while the topic is neither altered nor deleted: whoever wants to waits.
   *
   * @throws UnknownTopicError
   */
  async keep<R>(topic: string, work: (topic: T) => Promise<R>): Promise<R> {
    this.#checkOpen(topic);
    this.get(topic);
    return this.#change(topic, () => work(this.get(topic)));
  }

  /**
   * Alters a topic's configuration, at once and for good.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, InvalidArgumentError
   */
  async alter(topic: string, change: TopicConfigChange, id?: string): Promise<T> {
    this.#checkOpen(topic);
    return this.#change(topic, async () => {
      const open = this.get(topic, id);
      await this.#catalogue.alter(open, this.#changed(open.config, change));
      return open;
    });
  }

  /**
   * Deletes a topic and its records for good. Whoever reads or appends gets a {@link ClosedError}.
   *
   * @param deleted called when it is gone: until that resolves, nobody else may have the name
   * @throws UnknownTopicError, InconsistentTopicIdError
   */
  async delete(topic: string, deleted: () => Promise<void>, expectedId?: string): Promise<void> {
    this.#checkOpen(topic);
    await this.#change(topic, async () => {
      const open = this.get(topic, expectedId);
      const { partitionCount } = open;
      await open.close().catch(() => {}); // what could not be made durable is to be removed anyway
      this.#topics.delete(topic);
      try {
        await this.#catalogue.delete(open);
        this.tellChanged();
      } catch (error) {
        this.#put(await this.#catalogue.open(open)); // it is not deleted: nobody else may have the name
        throw error;
      }
      this.#totals.remove({ topics: 1, partitions: partitionCount });
      await deleted();
    });
  }

  /** Whether all of a topic can be read and appended to. @throws UnknownTopicError */
  isSound(topic: string): boolean {
    if (this.#opening.has(topic)) return false;
    return !this.#isUnreadable(topic) && this.get(topic).failedPartitions.length === 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opened;
    await this.#changing.settle();
    await eachInParallel([...this.#topics.values()], (open) => open.close());
  }

  tellChanged(): void {
    for (const changed of this.changed) tell(changed);
  }

  #checkOpen(topic: string): void {
    if (this.#closed) throw new ClosedError("the broker is closed", { topic });
  }

  /** @throws InvalidArgumentError */
  #changed(config: TopicConfig, change: TopicConfigChange): TopicConfig {
    const changed = changedConfig(config, change);
    this.effectiveConfig(changed);
    this.#totals.checkSegmentBytes(change.segmentBytes);
    return changed;
  }

  #change<R>(topic: string, work: () => Promise<R>): Promise<R> {
    return this.#changing.run(topic, () => withStorageErrors(`topic ${topic} cannot be changed`, work, { topic }));
  }

  async #make(topic: string, make: Make<T>): Promise<T> {
    const made = { topics: 1, partitions: 0 };
    this.#totals.reserve(topic, { topics: 1 });
    const reserve = (partitions: number) => {
      this.#totals.reserve(topic, { partitions });
      made.partitions += partitions;
    };
    try {
      return this.#put(await make(reserve));
    } catch (error) {
      if (!(error instanceof TopicUnsettledError)) {
        this.#totals.remove(made);
        throw error;
      }
      // It still counts: the next opening may find it.
      const { location, cause } = error;
      this.unreadable.push({ location, topic, error: cause });
      throw cause;
    }
  }

  #put(open: T): T {
    this.#topics.set(open.topic, open);
    this.tellChanged();
    return open;
  }

  #openAll(found: readonly FoundTopic[]): void {
    for (const each of found) this.#opening.set(each.topic, each);
    this.#found = found.length;
    this.#opened = inParallel(found, (each) => this.#changing.run(each.topic, () => this.#open(each)));
  }

  async #open(found: FoundTopic): Promise<void> {
    const { topic, location } = found;
    if (this.#closed) return;
    try {
      const { partitionCount } = this.#put(await this.#catalogue.open(found));
      this.#totals.add({ partitions: partitionCount });
    } catch (cause) {
      this.unreadable.push({ location, topic, error: storageError(cause, `${location} cannot be read`) });
    } finally {
      this.#opening.delete(topic);
      this.tellChanged();
    }
  }

  #isTaken(topic: string): boolean {
    return this.#topics.has(topic) || this.#isUnreadable(topic);
  }

  #isUnreadable(topic: string): boolean {
    return this.unreadable.some((other) => other.topic === topic);
  }
}

function checkPartitions(topic: string, partitions: number): void {
  if (!Number.isSafeInteger(partitions)) {
    throw new InvalidArgumentError(`a topic has a whole number of partitions, not ${partitions}`, { topic });
  }
  if (partitions >= 1 && partitions <= MAX_PARTITIONS) return;
  throw new InvalidArgumentError(`partitions is a whole number from 1 to ${MAX_PARTITIONS}, not ${partitions}`, {
    topic,
  });
}

function checkTopicId({ topic, id }: Topic, expected: string | undefined): void {
  if (!expected || expected === id) return;
  throw new InconsistentTopicIdError(
    `topic ${topic} has id ${id}, not ${expected.slice(0, 100)}: it was deleted and made again; describe it to learn what it is now`,
    { topic },
  );
}
