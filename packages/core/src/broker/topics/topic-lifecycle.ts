/**
 * Opens, creates, alters and deletes the topics of a broker, which an engine's catalogue stores.
 * There is one change of a topic at a time.
 */
import { ClosedError, TopicExistsError, UnavailableError, UnknownTopicError } from "@logstore/codec";
import type { TopicConfig, TopicConfigChange } from "@logstore/protocol";
import { type FoundTopic, type Topic, type TopicCatalogue, TopicUnsettledError } from "../../engine/topic-catalogue.js";
import { changedConfig } from "../../engine/topic-config.js";
import { checkTopicName } from "../../engine/topic-name.js";
import { eachInParallel, inParallel } from "../../storage/in-parallel.js";
import { withStorageErrors } from "../../storage/storage-error.js";
import { checkPartitions, checkSamePartitions } from "./check-topic.js";
import { KeyedQueue } from "./keyed-queue.js";
import { TopicFollowing } from "./topic-following.js";
import { TopicTotals } from "./topic-limits.js";
import { Topics } from "./topics.js";

/**
 * Creates a topic, as the catalogue's `create` does.
 *
 * @param reserve to be called with the number of partitions before they are created; throws
 * ResourceLimitExceededError
 */
export type CreateTopic<T extends Topic> = (reserve: (partitions: number) => void) => Promise<T>;

export class TopicLifecycle<T extends Topic = Topic> {
  readonly topics: Topics<T>;
  readonly #catalogue: TopicCatalogue<T>;
  readonly #totals: TopicTotals;
  /** The changes of topics, by topic. */
  readonly #changes = new KeyedQueue();
  readonly #following: TopicFollowing<T>;
  #opened: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(catalogue: TopicCatalogue<T>, totals: TopicTotals) {
    this.topics = new Topics(catalogue);
    this.#catalogue = catalogue;
    this.#totals = totals;
    this.#following = new TopicFollowing(catalogue, this.topics, totals, (topic, work) => this.#change(topic, work));
  }

  /**
   * Finds the topics, and starts to open them; see {@link opened}. Until a topic is open, calls for
   * it fail with an {@link UnavailableError}.
   */
  static async open<T extends Topic>(
    catalogue: TopicCatalogue<T>,
    totals = new TopicTotals(),
  ): Promise<TopicLifecycle<T>> {
    const lifecycle = new TopicLifecycle(catalogue, totals);
    lifecycle.#following.start();
    const found = await catalogue.find();
    lifecycle.topics.unreadable.push(...found.unreadable);
    totals.add({ topics: found.topics.length + found.unreadable.length });
    lifecycle.#openAll(found.topics);
    lifecycle.#following.resume();
    return lifecycle;
  }

  /** The topics as other brokers change them, too. */
  get following(): TopicFollowing<T> {
    return this.#following;
  }

  /** Resolves when every topic that was found is open, or could not be opened. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  #openAll(found: readonly FoundTopic[]): void {
    this.topics.found(found);
    this.#opened = inParallel(found, (each) => this.#changes.run(each.topic, () => this.#open(each)));
  }

  async #open(found: FoundTopic): Promise<void> {
    if (this.#closed) return;
    try {
      const { partitionCount } = this.topics.put(await this.#catalogue.open(found));
      this.#totals.add({ partitions: partitionCount });
    } catch (cause) {
      const error = this.topics.putUnreadable(found, cause);
      // Another broker may have deleted it, and reported that, before its turn to be opened.
      const isUnsettled = error instanceof UnavailableError || error instanceof UnknownTopicError;
      if (isUnsettled) this.#following.follow(found.topic);
    } finally {
      this.topics.settled(found);
    }
  }

  /**
   * @param ifNotExists resolve to an existing topic with the same number of partitions, unchanged
   * @throws InvalidArgumentError, TopicExistsError, ResourceLimitExceededError; if `ifNotExists`,
   * the error with which the existing topic could not be opened
   */
  async create(topic: string, partitions: number, change: TopicConfigChange = {}, ifNotExists = false): Promise<T> {
    this.#checkOpen(topic);
    checkTopicName(topic);
    checkPartitions(topic, partitions);
    const config = this.#changed({}, change);
    const create: CreateTopic<T> = (reserve) => {
      reserve(partitions);
      return this.#catalogue.create(topic, partitions, config);
    };
    if (!ifNotExists) return this.add(topic, create);
    return this.#change(topic, async () => {
      try {
        if (!(await this.#isTaken(topic))) return await this.#create(topic, create);
      } catch (error) {
        if (!(error instanceof TopicExistsError)) throw error; // another broker has created it
      }
      const existing = this.topics.get(topic);
      checkSamePartitions(existing, partitions);
      return existing;
    });
  }

  /**
   * Adds a topic.
   *
   * @throws InvalidArgumentError, TopicExistsError, ResourceLimitExceededError; what `create`
   * throws
   */
  async add(topic: string, create: CreateTopic<T>): Promise<T> {
    this.#checkOpen(topic);
    checkTopicName(topic);
    return this.#change(topic, async () => {
      // Checked only now: a caller that gets a TopicExistsError can use the topic at once.
      if (!(await this.#isTaken(topic))) return this.#create(topic, create);
      throw new TopicExistsError(`topic ${topic} exists already`, { topic });
    });
  }

  /** Whether the name is taken. A topic that could not be read is looked up again. */
  async #isTaken(topic: string): Promise<boolean> {
    if (this.topics.isTaken(topic) && !this.topics.isKnown(topic)) await this.#following.update(topic);
    return this.topics.isTaken(topic);
  }

  async #create(topic: string, create: CreateTopic<T>): Promise<T> {
    const made = { topics: 1, partitions: 0 };
    this.#totals.reserve(topic, { topics: 1 });
    const reserve = (partitions: number) => {
      this.#totals.reserve(topic, { partitions });
      made.partitions += partitions;
    };
    try {
      return this.topics.put(await create(reserve));
    } catch (error) {
      if (!(error instanceof TopicUnsettledError)) {
        this.#totals.remove(made);
        if (error instanceof TopicExistsError) await this.#following.update(topic);
        throw error;
      }
      // It still counts, like any unreadable topic: the broker may find it when it is opened again.
      this.#totals.remove({ partitions: made.partitions });
      const { location, cause } = error;
      this.topics.putUnreadable({ location, topic }, cause);
      this.#following.follow(topic);
      throw cause;
    }
  }

  /**
   * Runs `work` while the topic cannot be altered or deleted: such calls wait.
   *
   * @throws UnknownTopicError
   */
  async keep<R>(topic: string, work: (topic: T) => Promise<R>): Promise<R> {
    this.#checkOpen(topic);
    this.topics.get(topic);
    return this.#change(topic, () => work(this.topics.get(topic)));
  }

  /**
   * Alters a topic's configuration: effective at once, and durable.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, InvalidArgumentError
   */
  async alter(topic: string, change: TopicConfigChange, id?: string): Promise<T> {
    this.#checkOpen(topic);
    return this.#change(topic, async () => {
      await this.#following.update(topic);
      const open = this.topics.get(topic, id);
      await this.#catalogue.alter(open, (config) => this.#changed(config, change));
      return open;
    });
  }

  /**
   * Deletes a topic and all its records. Its readers and writers fail with a {@link ClosedError}.
   *
   * @param deleted called when the topic is gone. Its name is free once this has resolved, and the
   * deletion resolves once `durable` has
   * @throws UnknownTopicError, InconsistentTopicIdError
   */
  async delete(
    topic: string,
    deleted: () => Promise<{ readonly durable: Promise<void> }>,
    expectedId?: string,
  ): Promise<void> {
    this.#checkOpen(topic);
    const { durable } = await this.#change(topic, async () => {
      await this.#following.update(topic);
      const open = this.topics.get(topic, expectedId);
      const { partitionCount } = open;
      open.abandon?.();
      await open.close().catch(() => {}); // it does not matter what could not be made durable
      this.topics.remove(topic);
      try {
        await this.#catalogue.delete(open);
      } catch (error) {
        if (await this.#following.reopen(open, partitionCount)) throw error;
      }
      this.topics.tellChanged();
      this.#totals.remove({ topics: 1, partitions: partitionCount });
      return deleted();
    });
    await durable; // outside of the queue: other changes of the topic do not wait for the groups' log
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#following.stop();
    await this.#opened;
    await this.#changes.settle();
    await eachInParallel(this.topics.list(), (open) => open.close());
  }

  #checkOpen(topic: string): void {
    if (this.#closed) throw new ClosedError("the broker is closed", { topic });
  }

  /** @throws InvalidArgumentError */
  #changed(config: TopicConfig, change: TopicConfigChange): TopicConfig {
    const changed = changedConfig(config, change);
    this.topics.effectiveConfig(changed);
    this.#totals.checkSegmentBytes(change.segmentBytes);
    return changed;
  }

  #change<R>(topic: string, work: () => Promise<R>): Promise<R> {
    return this.#changes.run(topic, () => withStorageErrors(`topic ${topic} cannot be changed`, work, { topic }));
  }
}
