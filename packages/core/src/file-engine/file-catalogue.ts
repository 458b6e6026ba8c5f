/**
 * The topics of a data directory: `topics/<id>/`, each a log store with a `topic.json`. A topic is
 * created under a temporary name and renamed when it is complete, and renamed again before it is
 * removed, so that both are atomic.
 */
import { NotALogStoreError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import {
  type FoundTopic,
  type FoundTopics,
  type TopicCatalogue,
  TopicUnsettledError,
  type UnopenableTopic,
} from "../engine/topic-catalogue.js";
import { isOfTheSystem, STORE_FILE, TOPIC_FILE } from "../files/file-names.js";
import { readStoreFile } from "../files/store-file.js";
import type { DamagedEvent, FailedEvent } from "../hooks/hooks.js";
import type { WarnedEvent } from "../hooks/warnings.js";
import { makeAside, removeAside } from "../storage/atomic-directory.js";
import { ReplacedNotDurableError } from "../storage/atomic-file.js";
import type { FilePool } from "../storage/file-pool.js";
import { inParallel } from "../storage/in-parallel.js";
import { SharedStorage } from "../storage/shared-storage.js";
import { storageError } from "../storage/storage-error.js";
import { ThreadShares, threadPoolSize } from "../storage/thread-shares.js";
import { makeStore } from "../store/identity.js";
import { LogStore } from "../store/log-store.js";
import { type LogStoreOptions, resolveOptions } from "../store/options.js";
import { type StoreCaches, storeCaches } from "../store/store-caches.js";
import { FileTopic } from "./file-topic.js";
import { readTopicFile, type TopicFile, topicIdOf, writeTopicFile } from "./topic-file.js";
import { alteredOptions, effectiveConfig, topicOptions } from "./topic-options.js";

export const TOPICS_DIRECTORY = "topics";
/** Names of directories that are being created or removed. */
export const UNFINISHED = /^[0-9a-f]{16}\.(new|deleted)$/;

export class FileCatalogue implements TopicCatalogue<FileTopic> {
  readonly #storage: FilePool;
  readonly #directory: string;
  readonly #storeOptions: LogStoreOptions;
  readonly #caches: StoreCaches;
  readonly #threads = new ThreadShares(threadPoolSize());
  readonly #healthChanged: () => void;
  /** The content of each topic's `topic.json`, by directory. */
  readonly #files = new Map<string, TopicFile>();

  constructor(storage: FilePool, dataDirectory: string, storeOptions: LogStoreOptions, healthChanged: () => void) {
    this.#storage = storage;
    this.#directory = `${dataDirectory}/${TOPICS_DIRECTORY}`;
    this.#storeOptions = storeOptions;
    this.#caches = storeCaches(storeOptions);
    this.#healthChanged = healthChanged;
  }

  /** Removes what a crash left unfinished. */
  async find(): Promise<FoundTopics> {
    const storage = this.#storage;
    const directory = this.#directory;
    await storage.makeDirectory(directory);
    const topics = new Map<string, FoundTopic>();
    const unreadable: UnopenableTopic[] = [];
    await inParallel((await storage.list(directory)) ?? [], async (id) => {
      if (UNFINISHED.test(id)) await storage.removeDirectory(`${directory}/${id}`);
      else if (!isOfTheSystem(id)) await this.#findOne(`${directory}/${id}`, topics, unreadable);
    });
    await storage.syncDirectory(directory); // makes the names durable, in case of a crash before that was done
    return { topics: [...topics.values()], unreadable };
  }

  /**
   * If two directories declare the same topic, neither is served, because it is not known which is
   * right.
   */
  async #findOne(location: string, topics: Map<string, FoundTopic>, unreadable: UnopenableTopic[]): Promise<void> {
    try {
      const file = await readTopicFile(this.#storage, location);
      if (file === undefined) throw noTopicFile(location);
      this.#files.set(location, file);
      const { topic, id } = file;
      const other = topics.get(topic);
      if (other === undefined && !unreadable.some((each) => each.topic === topic)) {
        topics.set(topic, { topic, id, location });
        return;
      }
      topics.delete(topic);
      for (const one of [other?.location, location])
        if (one) unreadable.push(cannotRead(one, topic, namedTwice(topic)));
    } catch (cause) {
      unreadable.push(cannotRead(location, undefined, cause));
    }
  }

  async partitionCount({ topic, location }: FoundTopic): Promise<number> {
    const identity = await readStoreFile(this.#storage, location);
    if (identity !== undefined) return identity.partitions;
    throw new NotALogStoreError(`${location} has no ${STORE_FILE}`, { topic });
  }

  async open({ topic, location }: FoundTopic): Promise<FileTopic> {
    try {
      return await this.#openStore(location);
    } catch (cause) {
      throw cannotRead(location, topic, cause).error;
    }
  }

  create(topic: string, partitions: number, config: TopicConfig): Promise<FileTopic> {
    const options = { ...this.#storeOptions, partitions };
    resolveOptions(options);
    return this.createFrom(topic, async (directory) => {
      await makeStore(this.#storage, directory, resolveOptions(options));
      return config;
    });
  }

  /**
   * Creates a topic.
   *
   * @param fill creates its log store in a directory, and resolves to the topic's configuration
   */
  async createFrom(topic: string, fill: (directory: string) => Promise<TopicConfig>): Promise<FileTopic> {
    const storage = this.#storage;
    const directory = `${this.#directory}/${storage.randomHex(8)}`;
    const unfinished = `${directory}.new`;
    const file = await makeAside(storage, unfinished, directory, async (): Promise<TopicFile> => {
      await storage.makeDirectory(unfinished);
      const made = { topic, id: topicIdOf(storage.randomHex(16)), config: await fill(unfinished) };
      await writeTopicFile(storage, unfinished, made);
      return made;
    });
    this.#files.set(directory, file);
    try {
      await storage.syncDirectory(this.#directory);
      return await this.#openStore(directory);
    } catch (cause) {
      const error = storageError(cause, `topic ${topic} cannot be made`, { topic });
      await this.#setAside(directory).catch(() => {
        throw new TopicUnsettledError(directory, error); // the name is in use as long as its directory exists
      });
      throw error;
    }
  }

  async alter(open: FileTopic, change: (config: TopicConfig) => TopicConfig): Promise<void> {
    const { topic, id, location } = open;
    const config = change(open.config);
    const file = { topic, id, config };
    const altered = () => {
      open.altered(config, alteredOptions(config, this.#storeOptions));
      this.#files.set(location, file);
    };
    try {
      await writeTopicFile(this.#storage, location, file);
    } catch (cause) {
      if (!(cause instanceof ReplacedNotDurableError)) throw cause;
      altered(); // in effect as in the file, which the next open finds unless the power fails
      const what = `topic ${topic} was altered, but may be as before after a power cut: alter it again`;
      throw storageError(cause, what, { topic });
    }
    altered();
  }

  async delete({ location }: FileTopic): Promise<void> {
    try {
      await this.#setAside(location);
    } catch (error) {
      await this.#storage.rename(`${location}.deleted`, location).catch(() => {});
      throw error;
    }
  }

  effectiveConfig(config: TopicConfig): TopicConfig {
    return effectiveConfig(config, this.#storeOptions);
  }

  /** The topic is deleted once it is renamed; its files are removed now, or by the next open. */
  async #setAside(directory: string): Promise<void> {
    const syncNames = () => this.#storage.syncDirectory(this.#directory);
    await removeAside(this.#storage, directory, `${directory}.deleted`, syncNames);
    this.#files.delete(directory);
  }

  async #openStore(directory: string): Promise<FileTopic> {
    const { topic, id, config } = this.#files.get(directory)!;
    const { hooks } = this.#storeOptions;
    const failed = (event: FailedEvent) => {
      this.#healthChanged();
      hooks?.failed?.({ ...event, topic });
    };
    const damaged = (event: DamagedEvent) => {
      this.#healthChanged();
      hooks?.damaged?.({ ...event, topic });
    };
    const warned = (event: WarnedEvent) => hooks?.warned?.(event.type === "clockBehind" ? { ...event, topic } : event);
    const options = { ...topicOptions(config, this.#storeOptions), hooks: { ...hooks, damaged, failed, warned } };
    const storage = new SharedStorage(this.#storage, this.#threads.share());
    const store = await LogStore.openLocked(directory, options, storage, this.#caches);
    return new FileTopic(topic, id ?? topicIdOf(store.id), directory, store, config);
  }
}

function cannotRead(location: string, topic: string | undefined, cause: unknown): UnopenableTopic {
  return { location, topic, error: storageError(cause, `${location} cannot be read`) };
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
