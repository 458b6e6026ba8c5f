/**
 * The topics of a data directory: `topics/<id>/`, each a log store with a `topic.json`. One is made under another name and renamed
 * when it is whole, and renamed again before it is removed: a crash leaves all of it or nothing that counts.
 */
import {
  ClosedError,
  InvalidArgumentError,
  LogStoreError,
  NotALogStoreError,
  TopicExistsError,
  UnknownTopicError,
} from "@logstore/codec";
import { TOPIC_FILE } from "../files/file-names.js";
import type { FilePool } from "../storage/file-pool.js";
import { withStorageErrors } from "../storage/storage-error.js";
import { LogStore } from "../store/log-store.js";
import type { LogStoreOptions } from "../store/options.js";
import {
  alteredOptions,
  changedConfig,
  type TopicConfig,
  type TopicConfigChange,
  topicOptions,
} from "./topic-config.js";
import { readTopicFile, type TopicFile, writeTopicFile } from "./topic-file.js";
import { checkTopicName } from "./topic-name.js";

const TOPICS_DIRECTORY = "topics";
/** On their way in, and out. */
const UNFINISHED = /\.(new|deleted)$/;

export interface Topic {
  readonly topic: string;
  readonly store: LogStore;
  readonly config: TopicConfig;
}

interface OpenTopic extends Topic {
  readonly directory: string;
}

/** A topic's directory that could not be opened: the others are served none the less. */
export interface UnreadableTopic {
  readonly directory: string;
  readonly error: LogStoreError;
}

export class Topics {
  readonly unreadable: UnreadableTopic[] = [];
  readonly #storage: FilePool;
  readonly #directory: string;
  readonly #storeOptions: LogStoreOptions;
  readonly #topics = new Map<string, OpenTopic>();
  /** Topics that are being made, altered or deleted: one thing at a time. */
  readonly #changing = new Map<string, Promise<unknown>>();
  #closed = false;

  private constructor(storage: FilePool, directory: string, storeOptions: LogStoreOptions) {
    this.#storage = storage;
    this.#directory = directory;
    this.#storeOptions = storeOptions;
  }

  static async open(storage: FilePool, dataDirectory: string, storeOptions: LogStoreOptions): Promise<Topics> {
    const directory = `${dataDirectory}/${TOPICS_DIRECTORY}`;
    await storage.makeDirectory(directory);
    const topics = new Topics(storage, directory, storeOptions);
    try {
      for (const id of (await storage.list(directory)) ?? []) {
        if (UNFINISHED.test(id)) await storage.removeDirectory(`${directory}/${id}`);
        else await topics.#openFound(`${directory}/${id}`);
      }
    } catch (error) {
      await topics.close();
      throw error;
    }
    return topics;
  }

  /** By name. */
  list(): Topic[] {
    return [...this.#topics.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }

  /** @throws UnknownTopicError */
  get(topic: string): Topic {
    return this.#open(topic);
  }

  /** @throws InvalidArgumentError, TopicExistsError */
  async create(topic: string, partitions: number, change: TopicConfigChange = {}): Promise<Topic> {
    this.#checkOpen(topic);
    checkTopicName(topic);
    if (!Number.isSafeInteger(partitions)) {
      throw new InvalidArgumentError(`a topic has a whole number of partitions, not ${partitions}`, { topic });
    }
    const config = changedConfig({}, change);
    if (this.#topics.has(topic) || this.#changing.has(topic)) {
      throw new TopicExistsError(`topic ${topic} exists already`, { topic });
    }
    return this.#change(topic, () => this.#make(topic, partitions, config));
  }

  /** Alters a topic's configuration, at once and for good. @throws UnknownTopicError, InvalidArgumentError */
  async alter(topic: string, change: TopicConfigChange): Promise<Topic> {
    this.#checkOpen(topic);
    return this.#change(topic, async () => {
      const open = this.#open(topic);
      const config = changedConfig(open.config, change);
      await writeTopicFile(this.#storage, open.directory, { topic, config });
      open.store.alter(alteredOptions(config, this.#storeOptions));
      const altered = { ...open, config };
      this.#topics.set(topic, altered);
      return altered;
    });
  }

  /** Deletes a topic and its records for good. Whoever reads or appends gets a {@link ClosedError}. @throws UnknownTopicError */
  async delete(topic: string): Promise<void> {
    this.#checkOpen(topic);
    await this.#change(topic, async () => {
      const { store, directory } = this.#open(topic);
      this.#topics.delete(topic);
      await store.close().catch(() => {}); // what could not be made durable is to be removed anyway
      const deleted = `${directory}.deleted`;
      await this.#storage.rename(directory, deleted);
      await this.#storage.syncDirectory(this.#directory);
      await this.#storage.removeDirectory(deleted);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#changing.values());
    const closed = await Promise.allSettled([...this.#topics.values()].map(({ store }) => store.close()));
    for (const result of closed) if (result.status === "rejected") throw result.reason;
  }

  #open(topic: string): OpenTopic {
    const open = this.#topics.get(topic);
    if (open !== undefined) return open;
    throw new UnknownTopicError(`there is no topic ${JSON.stringify(topic.slice(0, 300))}: create it first`, { topic });
  }

  #checkOpen(topic: string): void {
    if (this.#closed) throw new ClosedError("the broker is closed", { topic });
  }

  async #change<T>(topic: string, work: () => Promise<T>): Promise<T> {
    const before = this.#changing.get(topic);
    const change = (before ?? Promise.resolve())
      .catch(() => {})
      .then(() => withStorageErrors(`topic ${topic} cannot be changed`, work, { topic }));
    this.#changing.set(topic, change);
    try {
      return await change;
    } finally {
      if (this.#changing.get(topic) === change) this.#changing.delete(topic);
    }
  }

  async #make(topic: string, partitions: number, config: TopicConfig): Promise<Topic> {
    const storage = this.#storage;
    const directory = `${this.#directory}/${storage.randomHex(8)}`;
    const unfinished = `${directory}.new`;
    await storage.makeDirectory(unfinished);
    try {
      await LogStore.make(unfinished, { ...this.#storeOptions, partitions }, storage);
      await writeTopicFile(storage, unfinished, { topic, config });
      await storage.rename(unfinished, directory);
    } catch (error) {
      await storage.removeDirectory(unfinished).catch(() => {}); // the next opening removes it, then
      throw error;
    }
    await storage.syncDirectory(this.#directory);
    return this.#openStore(directory, { topic, config });
  }

  async #openFound(directory: string): Promise<void> {
    let found: TopicFile | undefined;
    try {
      found = await readTopicFile(this.#storage, directory);
      if (found === undefined) return;
      if (!this.#topics.has(found.topic)) {
        await this.#openStore(directory, found);
        return;
      }
    } catch (error) {
      if (!(error instanceof LogStoreError)) throw error;
      this.unreadable.push({ directory, error });
      return;
    }
    const file = `${directory}/${TOPIC_FILE}`;
    throw new NotALogStoreError(`${file} names topic ${found.topic}, and so does another: move one of them away`, {
      file,
    });
  }

  async #openStore(directory: string, { topic, config }: TopicFile): Promise<Topic> {
    const options = topicOptions(config, this.#storeOptions);
    const store = await LogStore.openLocked(directory, options, this.#storage, undefined);
    const open = { topic, store, config, directory };
    this.#topics.set(topic, open);
    return open;
  }
}
