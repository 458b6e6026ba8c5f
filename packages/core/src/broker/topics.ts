/**
 * The topics of a data directory: `topics/<id>/`, each a log store with a `topic.json`. One is made
 * under another name and renamed when it is whole, and renamed again before it is removed: a crash
 * leaves all of it or nothing that counts.
 */
import {
  ClosedError,
  InconsistentTopicIdError,
  InvalidArgumentError,
  type LogStoreError,
  NotALogStoreError,
  TopicExistsError,
  UnavailableError,
  UnknownTopicError,
} from "@logstore/codec";
import type { TopicConfig, TopicConfigChange, TopicSummary } from "@logstore/protocol";
import { detailOf } from "../errors/error-detail.js";
import { isOfTheSystem, STORE_FILE, TOPIC_FILE } from "../files/file-names.js";
import { readStoreFile } from "../files/store-file.js";
import { type DamagedEvent, type FailedEvent, tell } from "../hooks/hooks.js";
import type { WarnedEvent } from "../hooks/warnings.js";
import { ReplacedNotDurableError } from "../storage/atomic-file.js";
import type { FilePool } from "../storage/file-pool.js";
import { eachInParallel, inParallel } from "../storage/in-parallel.js";
import { SharedStorage } from "../storage/shared-storage.js";
import { storageError, withStorageErrors } from "../storage/storage-error.js";
import { ThreadShares, threadPoolSize } from "../storage/thread-shares.js";
import { LogStore } from "../store/log-store.js";
import { type LogStoreOptions, resolveOptions } from "../store/options.js";
import { type StoreCaches, storeCaches } from "../store/store-caches.js";
import { OneAtATime } from "./one-at-a-time.js";
import { alteredOptions, changedConfig, effectiveConfig, topicOptions } from "./topic-config.js";
import { readTopicFile, type TopicFile, topicIdOf, writeTopicFile } from "./topic-file.js";
import { TopicTotals } from "./topic-limits.js";
import { checkTopicName } from "./topic-name.js";

const TOPICS_DIRECTORY = "topics";
/** On their way in, and out. */
const UNFINISHED = /^[0-9a-f]{16}\.(new|deleted)$/;

export interface Topic {
  readonly topic: string;
  /** Tells the topic from another one that had its name before. */
  readonly id: string;
  readonly store: LogStore;
  readonly config: TopicConfig;
}

/**
 * Makes a topic's log store in a directory, and resolves to the topic's configuration.
 *
 * @param reserve to be called with the number of partitions before they are made; throws
 * ResourceLimitExceededError
 */
export type Fill = (directory: string, reserve: (partitions: number) => void) => Promise<TopicConfig>;

interface OpenTopic extends Topic {
  readonly directory: string;
}

/** A topic's directory, and what its `topic.json` says. */
interface FoundTopic {
  readonly directory: string;
  readonly file: TopicFile;
}

/** How many topics were found, and how many of them are open, or could not be opened. */
export interface OpeningProgress {
  readonly topics: number;
  readonly done: number;
}

/** After so long a call to a topic that is still being opened may be tried again, ms. */
const OPENING_RETRY_MS = 250;

/** A topic's directory that could not be opened: the others are served none the less. */
export interface UnreadableTopic {
  readonly directory: string;
  /** Undefined where not even its name can be read. */
  readonly topic: string | undefined;
  readonly error: LogStoreError;
}

export class Topics {
  readonly unreadable: UnreadableTopic[] = [];
  /** Told when a topic came, went or failed. */
  readonly changed = new Set<() => void>();
  readonly #storage: FilePool;
  readonly #directory: string;
  readonly #storeOptions: LogStoreOptions;
  readonly #caches: StoreCaches;
  readonly #totals: TopicTotals;
  readonly #topics = new Map<string, OpenTopic>();
  /** Found, and not open yet; by name. */
  readonly #opening = new Map<string, FoundTopic>();
  #found = 0;
  /** Resolves when no topic is being opened any more. */
  #opened: Promise<void> = Promise.resolve();
  readonly #threads = new ThreadShares(threadPoolSize());
  /** Topics that are being opened, made, altered or deleted: one thing at a time. */
  readonly #changing = new OneAtATime();
  #closed = false;

  private constructor(storage: FilePool, directory: string, storeOptions: LogStoreOptions, totals: TopicTotals) {
    this.#storage = storage;
    this.#directory = directory;
    this.#storeOptions = storeOptions;
    this.#totals = totals;
    this.#caches = storeCaches(storeOptions);
  }

  /**
   * Finds the topics, and begins to open them: see {@link opened}. Until it is open, a topic
   * answers with an {@link UnavailableError}.
   */
  static async open(
    storage: FilePool,
    dataDirectory: string,
    storeOptions: LogStoreOptions,
    totals = new TopicTotals(),
  ): Promise<Topics> {
    const directory = `${dataDirectory}/${TOPICS_DIRECTORY}`;
    await storage.makeDirectory(directory);
    const topics = new Topics(storage, directory, storeOptions, totals);
    try {
      await inParallel((await storage.list(directory)) ?? [], async (id) => {
        if (UNFINISHED.test(id)) await storage.removeDirectory(`${directory}/${id}`);
        else if (!isOfTheSystem(id)) await topics.#find(`${directory}/${id}`);
      });
      await storage.syncDirectory(directory); // what is found counts, if a crash came before its name was durable
      topics.#openAll();
    } catch (error) {
      await topics.close().catch(() => {});
      throw error;
    }
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
  list(): Topic[] {
    return [...this.#topics.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }

  /**
   * The topics that are still being opened, as their files describe them; one whose files cannot be
   * read has a `damage`.
   */
  async beingOpened(): Promise<TopicSummary[]> {
    const summaries: TopicSummary[] = [];
    await inParallel([...this.#opening], async ([topic, { directory, file }]) => {
      const named = { topic, topicId: file.id ?? "" };
      try {
        const partitionCount = (await readStoreFile(this.#storage, directory))?.partitions;
        if (partitionCount === undefined) throw new NotALogStoreError(`${directory} has no ${STORE_FILE}`, { topic });
        summaries.push({ ...named, partitionCount });
      } catch (cause) {
        const damage = detailOf(storageError(cause, `topic ${topic} cannot be read`, { topic }));
        summaries.push({ ...named, partitionCount: 0, damage });
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
  get(topic: string, id?: string): Topic {
    return this.#open(topic, id);
  }

  /** Largest batch that some topic takes in, or would by default. */
  largestBatchBytes(): number {
    let most = this.#storeOptions.maxBatchBytes ?? 0;
    for (const { config } of this.#topics.values()) most = Math.max(most, config.maxBatchBytes ?? 0);
    return most;
  }

  /** What is in force where a topic is configured so. */
  effectiveConfig(config: TopicConfig): TopicConfig {
    return effectiveConfig(config, this.#storeOptions);
  }

  /**
   * @param ifNotExists resolve to a topic that exists with as many partitions, as it is
   * @throws InvalidArgumentError, TopicExistsError, ResourceLimitExceededError
   */
  async create(topic: string, partitions: number, change: TopicConfigChange = {}, ifNotExists = false): Promise<Topic> {
    this.#checkOpen(topic);
    checkTopicName(topic);
    if (!Number.isSafeInteger(partitions)) {
      throw new InvalidArgumentError(`a topic has a whole number of partitions, not ${partitions}`, { topic });
    }
    const config = changedConfig({}, change, this.#totals.minSegmentBytes);
    const options = { ...this.#storeOptions, partitions };
    resolveOptions(options);
    const fill: Fill = async (directory, reserve) => {
      reserve(partitions);
      await LogStore.make(directory, options, this.#storage);
      return config;
    };
    if (!ifNotExists) return this.add(topic, fill);
    return this.#change(topic, () => {
      const isThere = this.#topics.has(topic) || this.#isUnreadable(topic);
      return isThere ? this.#getWith(topic, partitions) : this.#make(topic, fill);
    });
  }

  /**
   * @throws TopicExistsError where it has another number of partitions; what opening it failed with
   */
  async #getWith(topic: string, partitions: number): Promise<Topic> {
    const found = this.#open(topic);
    const { partitionCount } = found.store;
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
   * @param fill makes its log store; where it rejects, there is no topic
   * @throws InvalidArgumentError, TopicExistsError, ResourceLimitExceededError
   */
  async add(topic: string, fill: Fill): Promise<Topic> {
    this.#checkOpen(topic);
    checkTopicName(topic);
    return this.#change(topic, () => {
      // Looked at when it is this call's turn: a topic that is told to exist can be used.
      if (!this.#topics.has(topic) && !this.#isUnreadable(topic)) return this.#make(topic, fill);
      throw new TopicExistsError(`topic ${topic} exists already`, { topic });
    });
  }

  /**
   * Does something while the topic is neither altered nor deleted: whoever wants to waits. @throws
   * UnknownTopicError
   */
  async keep<T>(topic: string, work: (topic: Topic) => Promise<T>): Promise<T> {
    this.#checkOpen(topic);
    this.#open(topic);
    return this.#change(topic, () => work(this.#open(topic)));
  }

  /**
   * Alters a topic's configuration, at once and for good.
   *
   * @throws UnknownTopicError, InconsistentTopicIdError, InvalidArgumentError
   */
  async alter(topic: string, change: TopicConfigChange, id?: string): Promise<Topic> {
    this.#checkOpen(topic);
    return this.#change(topic, async () => {
      const open = this.#open(topic, id);
      const config = changedConfig(open.config, change, this.#totals.minSegmentBytes);
      const inForce = () => {
        open.store.alter(alteredOptions(config, this.#storeOptions));
        const altered = { ...open, config };
        this.#topics.set(topic, altered);
        return altered;
      };
      try {
        await writeTopicFile(this.#storage, open.directory, { topic, id: open.id, config });
      } catch (cause) {
        if (!(cause instanceof ReplacedNotDurableError)) throw cause;
        inForce(); // as the file says, which whoever opens it next finds, unless the power is cut
        throw storageError(
          cause,
          `topic ${topic} was altered, but may be as before after a power cut: alter it again`,
          {
            topic,
          },
        );
      }
      return inForce();
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
      const { id, store, directory, config } = this.#open(topic, expectedId);
      await store.close().catch(() => {}); // what could not be made durable is to be removed anyway
      this.#topics.delete(topic);
      try {
        await this.#setAside(directory);
        this.tellChanged();
      } catch (error) {
        await this.#storage.rename(`${directory}.deleted`, directory).catch(() => {});
        await this.#openStore(directory, { topic, id, config }); // it is not deleted: nobody else may have the name
        throw error;
      }
      this.#totals.remove({ topics: 1, partitions: store.partitionCount });
      await deleted();
    });
  }

  /** Whether all of a topic can be read and appended to. @throws UnknownTopicError */
  isSound(topic: string): boolean {
    if (this.#opening.has(topic)) return false;
    return !this.#isUnreadable(topic) && this.#open(topic).store.failedPartitions.length === 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opened;
    await this.#changing.settle();
    await eachInParallel([...this.#topics.values()], ({ store }) => store.close());
  }

  #open(topic: string, id?: string): OpenTopic {
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

  #checkOpen(topic: string): void {
    if (this.#closed) throw new ClosedError("the broker is closed", { topic });
  }

  #change<T>(topic: string, work: () => Promise<T>): Promise<T> {
    return this.#changing.run(topic, () => withStorageErrors(`topic ${topic} cannot be changed`, work, { topic }));
  }

  async #make(topic: string, fill: Fill): Promise<Topic> {
    const made = { topics: 1, partitions: 0 };
    this.#totals.reserve(topic, { topics: 1 });
    const reserve = (partitions: number) => {
      this.#totals.reserve(topic, { partitions });
      made.partitions += partitions;
    };
    try {
      return await this.#makeReserved(topic, (directory) => fill(directory, reserve));
    } catch (error) {
      // One whose directory is there still counts, and is counted again by the next opening.
      if (!this.#isUnreadable(topic)) this.#totals.remove(made);
      throw error;
    }
  }

  async #makeReserved(topic: string, fill: (directory: string) => Promise<TopicConfig>): Promise<Topic> {
    const storage = this.#storage;
    const directory = `${this.#directory}/${storage.randomHex(8)}`;
    const unfinished = `${directory}.new`;
    let file: TopicFile;
    try {
      await storage.makeDirectory(unfinished);
      file = { topic, id: topicIdOf(storage.randomHex(16)), config: await fill(unfinished) };
      await writeTopicFile(storage, unfinished, file);
      await storage.rename(unfinished, directory);
    } catch (error) {
      await storage.removeDirectory(unfinished).catch(() => {}); // the next opening removes it, then
      throw error;
    }
    try {
      await storage.syncDirectory(this.#directory);
      return await this.#openStore(directory, file);
    } catch (cause) {
      const error = storageError(cause, `topic ${topic} cannot be made`, { topic });
      // While its directory is there, the name is taken.
      await this.#setAside(directory).catch(() => this.unreadable.push({ directory, topic, error }));
      throw error;
    }
  }

  /** It is gone once it is renamed; the rest is done now, or when the broker is opened again. */
  async #setAside(directory: string): Promise<void> {
    const deleted = `${directory}.deleted`;
    await this.#storage.rename(directory, deleted);
    await this.#storage.syncDirectory(this.#directory);
    await this.#storage.removeDirectory(deleted).catch(() => {});
  }

  /**
   * Where a directory cannot be read, the others can. Of two that name the same topic, neither is
   * served: which is right is not known.
   */
  async #find(directory: string): Promise<void> {
    this.#totals.add({ topics: 1 });
    try {
      const file = await readTopicFile(this.#storage, directory);
      if (file === undefined) throw noTopicFile(directory);
      const { topic } = file;
      const other = this.#opening.get(topic);
      this.#opening.delete(topic);
      if (other === undefined && !this.#isUnreadable(topic)) this.#opening.set(topic, { directory, file });
      else for (const one of [other?.directory, directory]) if (one) this.#cannotOpen(one, topic, namedTwice(topic));
    } catch (cause) {
      this.#cannotOpen(directory, undefined, cause);
    }
  }

  #openAll(): void {
    const found = [...this.#opening];
    this.#found = found.length;
    const opened = inParallel(found, ([topic, { directory, file }]) =>
      this.#changing.run(topic, async () => {
        if (this.#closed) return;
        try {
          const { store } = await this.#openStore(directory, file);
          this.#totals.add({ partitions: store.partitionCount });
        } catch (cause) {
          this.#cannotOpen(directory, topic, cause);
        } finally {
          this.#opening.delete(topic);
          this.tellChanged();
        }
      }),
    );
    this.#opened = opened;
  }

  #cannotOpen(directory: string, topic: string | undefined, cause: unknown): void {
    this.unreadable.push({ directory, topic, error: storageError(cause, `${directory} cannot be read`) });
  }

  #isUnreadable(topic: string): boolean {
    return this.unreadable.some((other) => other.topic === topic);
  }

  async #openStore(directory: string, { topic, id, config }: TopicFile): Promise<Topic> {
    const { hooks } = this.#storeOptions;
    const failed = (event: FailedEvent) => {
      this.tellChanged();
      hooks?.failed?.({ ...event, topic });
    };
    const damaged = (event: DamagedEvent) => {
      this.tellChanged();
      hooks?.damaged?.({ ...event, topic });
    };
    const warned = (event: WarnedEvent) => hooks?.warned?.(event.type === "clockBehind" ? { ...event, topic } : event);
    const options = { ...topicOptions(config, this.#storeOptions), hooks: { ...hooks, damaged, failed, warned } };
    const storage = new SharedStorage(this.#storage, this.#threads.share());
    const store = await LogStore.openLocked(directory, options, storage, this.#caches);
    const open = { topic, id: id ?? topicIdOf(store.id), store, config, directory };
    this.#topics.set(topic, open);
    this.tellChanged();
    return open;
  }

  tellChanged(): void {
    for (const changed of this.changed) tell(changed);
  }
}

function checkTopicId({ topic, id }: Topic, expected: string | undefined): void {
  if (!expected || expected === id) return;
  throw new InconsistentTopicIdError(
    `topic ${topic} has id ${id}, not ${expected.slice(0, 100)}: it was deleted and made again; describe it to learn what it is now`,
    { topic },
  );
}

function noTopicFile(directory: string): NotALogStoreError {
  return new NotALogStoreError(
    `${directory} has no ${TOPIC_FILE}: it is no topic, or not all of one; restore the file from a copy, or move the directory away`,
    { file: `${directory}/${TOPIC_FILE}` },
  );
}

function namedTwice(topic: string): NotALogStoreError {
  return new NotALogStoreError(`two directories name topic ${topic}: move one of them away`, {
    topic,
    file: TOPIC_FILE,
  });
}
