/**
 * Follows the topics of a catalogue that several brokers share: opens the ones that another broker
 * creates, and closes the ones that another broker deletes. On an engine with one broker it does
 * nothing.
 */
import { type LogStoreError, sleep, UnavailableError, UnknownTopicError } from "@logstore/codec";
import type { FoundTopic, Topic, TopicCatalogue } from "../../engine/topic-catalogue.js";
import { isName } from "../../engine/topic-name.js";
import { inParallel } from "../../storage/in-parallel.js";
import { storageError } from "../../storage/storage-error.js";
import type { TopicTotals } from "./topic-limits.js";
import type { Topics } from "./topics.js";

/** When to look a changed topic up again if the catalogue is unavailable, in ms. */
const RETRY_MS = 500;

/** A topic by its name, and the id that it is expected to have, if any. */
interface NamedTopic {
  readonly topic: string;
  readonly topicId?: string | undefined;
}

export class TopicFollowing<T extends Topic> {
  readonly #catalogue: TopicCatalogue<T>;
  readonly #topics: Topics<T>;
  readonly #totals: TopicTotals;
  /** Runs work while nothing else changes the topic. */
  readonly #alone: (topic: string, work: () => Promise<void>) => Promise<void>;
  readonly #updates = new Map<string, Promise<void>>();
  /** Topics that changed before {@link resume}. */
  #early: Set<string> | undefined = new Set();
  readonly #stop = new AbortController();
  /** Called when a topic of another broker was opened. */
  onCreated: () => void = () => {};
  /**
   * Called when a topic that another broker has deleted is closed. A topic of the same name is
   * opened only after it has resolved.
   */
  onDeleted: (topic: string) => Promise<void> = async () => {};

  constructor(
    catalogue: TopicCatalogue<T>,
    topics: Topics<T>,
    totals: TopicTotals,
    alone: (topic: string, work: () => Promise<void>) => Promise<void>,
  ) {
    this.#catalogue = catalogue;
    this.#topics = topics;
    this.#totals = totals;
    this.#alone = alone;
  }

  /** Whether other brokers can change the topics and their partitions. */
  get isShared(): boolean {
    return this.#catalogue.shared !== undefined;
  }

  /** Notes changes from now on. Called before the topics are found. */
  start(): void {
    this.#catalogue.shared?.onChange((topic) => {
      if (this.#early !== undefined) this.#early.add(topic);
      else void this.#follow(topic);
    });
  }

  /** Follows changes from now on, and those that were noted. Called after the topics were found. */
  resume(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const topic of early) void this.#follow(topic);
  }

  stop(): void {
    this.#stop.abort();
  }

  /**
   * Returns an open topic; a promise if another broker may have created it since.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, UnavailableError
   */
  get(topic: string, topicId?: string): T | Promise<T> {
    try {
      return this.#topics.get(topic, topicId);
    } catch (error) {
      const learning = this.learn(topic, topicId);
      if (learning === undefined) throw error;
      return learning.then(() => this.#topics.get(topic, topicId));
    }
  }

  /**
   * Looks up a topic that is not known here. Returns undefined if it is known, or there is no other
   * broker.
   */
  learn(topic: string, topicId?: string): Promise<void> | undefined {
    return this.#isUnknown({ topic, topicId }) ? this.#updateOnce(topic) : undefined;
  }

  /**
   * Looks up the topics that are not known here; resolves to the errors of those that could not be
   * looked up. Returns undefined if all are known, or there is no other broker.
   */
  learnAll(named: Iterable<NamedTopic>): Promise<ReadonlyMap<string, LogStoreError>> | undefined {
    if (this.#catalogue.shared === undefined) return undefined;
    const unknown = new Set<string>();
    for (const each of named) if (this.#isUnknown(each)) unknown.add(each.topic);
    return unknown.size === 0 ? undefined : this.#updateAll([...unknown]);
  }

  /** Looks topics up in the background: who waits for them is told by {@link onCreated}. */
  expect(topics: readonly string[]): void {
    if (this.isShared) void this.learnAll(topics.map((topic) => ({ topic }))); // onChange reports them as well
  }

  /** Brings a topic up to date in the background, when the catalogue is available again. */
  follow(topic: string): void {
    if (this.isShared) void this.#follow(topic);
  }

  /**
   * Reopens a closed topic whose deletion has failed. Returns whether it exists, or may exist: then
   * its name is taken.
   */
  async reopen(closed: T, partitions: number): Promise<boolean> {
    const { topic, id } = closed;
    const { shared } = this.#catalogue;
    try {
      if (shared !== undefined && (await shared.lookUp(topic))?.id !== id) return false;
      this.#topics.put(await this.#catalogue.open(closed));
    } catch (cause) {
      this.#topics.putUnreadable(closed, cause);
      this.#totals.remove({ partitions });
      this.follow(topic);
    }
    return true;
  }

  /** Brings a topic up to date. The caller takes care that nothing else changes it. */
  async update(topic: string): Promise<void> {
    const { shared } = this.#catalogue;
    if (shared === undefined || this.#stop.signal.aborted) return;
    const found = await shared.lookUp(topic);
    const open = this.#topics.has(topic) ? this.#topics.get(topic) : undefined;
    if (open !== undefined && open.id !== found?.id) await this.#forget(open);
    await this.#forgetUnreadable(topic, found);
    if (found !== undefined && !this.#topics.isKnown(topic)) await this.#open(found);
  }

  /** Forgets a topic that could not be read if it was deleted. */
  async #forgetUnreadable(topic: string, found: FoundTopic | undefined): Promise<void> {
    const unreadable = this.#topics.unreadable.find((other) => other.topic === topic);
    if (unreadable === undefined) return;
    if (found !== undefined && (unreadable.id ?? found.id) === found.id) return;
    this.#dropUnreadable(topic);
    this.#topics.tellChanged();
    await this.onDeleted(topic);
  }

  #dropUnreadable(topic: string): void {
    if (this.#topics.removeUnreadable(topic)) this.#totals.remove({ topics: 1 });
  }

  /** Opens a topic. One that cannot be opened is listed with its error. */
  async #open(found: FoundTopic): Promise<void> {
    const { topic } = found;
    let open: T;
    try {
      open = await this.#catalogue.open(found);
    } catch (cause) {
      if (cause instanceof UnknownTopicError) throw cause; // it has just been deleted
      this.#dropUnreadable(topic);
      this.#totals.add({ topics: 1 });
      throw this.#topics.putUnreadable(found, cause);
    }
    this.#dropUnreadable(topic);
    this.#topics.put(open);
    this.#totals.add({ topics: 1, partitions: open.partitionCount });
    this.onCreated();
  }

  async #forget(open: T): Promise<void> {
    const { topic, partitionCount } = open;
    this.#topics.remove(topic);
    this.#topics.tellChanged();
    this.#totals.remove({ topics: 1, partitions: partitionCount });
    await open.close().catch(() => {}); // its records are gone
    await this.onDeleted(topic);
  }

  #isUnknown({ topic, topicId }: NamedTopic): boolean {
    return this.isShared && isName(topic) && !this.#topics.isKnown(topic, topicId);
  }

  async #updateAll(topics: readonly string[]): Promise<ReadonlyMap<string, LogStoreError>> {
    const failures = new Map<string, LogStoreError>();
    await inParallel(topics, async (topic) => {
      try {
        await this.#updateOnce(topic);
      } catch (error) {
        failures.set(topic, storageError(error, `topic ${topic} cannot be looked up`, { topic }));
      }
    });
    return failures;
  }

  /**
   * Concurrent callers share a look-up that has not begun: one that has may miss what another
   * broker did since.
   */
  #updateOnce(topic: string): Promise<void> {
    let update = this.#updates.get(topic);
    if (update === undefined) {
      update = this.#alone(topic, () => {
        this.#updates.delete(topic);
        return this.update(topic);
      });
      this.#updates.set(topic, update);
    }
    return update;
  }

  /** Follows one change, however long the catalogue is unavailable. */
  async #follow(topic: string): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        return await this.#updateOnce(topic);
      } catch (error) {
        if (!(error instanceof UnavailableError)) return; // found again by the next call for the topic
        await sleep(error.retryAfterMs ?? RETRY_MS, signal);
      }
    }
  }
}
