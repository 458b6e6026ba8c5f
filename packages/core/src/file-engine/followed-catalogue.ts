/**
 * The topics of a data directory that another process writes to. They are looked up again with each
 * call, because that process may create and delete topics; nothing is changed.
 */
import { NotALogStoreError, UnknownTopicError } from "@logstore/codec";
import type { FoundTopic, FoundTopics, UnopenableTopic } from "../engine/topic-catalogue.js";
import { isOfTheSystem } from "../files/file-names.js";
import { readStoreFile } from "../files/store-file.js";
import { inParallel } from "../storage/in-parallel.js";
import type { Storage } from "../storage/storage.js";
import { storageError } from "../storage/storage-error.js";
import type { ReadOnlyOptions } from "../store/options.js";
import { ReadOnlyLogStore } from "../store/read-only-log-store.js";
import { TOPICS_DIRECTORY, UNFINISHED } from "./file-catalogue.js";
import { FollowedTopic } from "./followed-topic.js";
import { readTopicFile, type TopicFile, topicIdOf } from "./topic-file.js";

export class FollowedCatalogue {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #options: ReadOnlyOptions;
  /** Open topics, by location. */
  readonly #open = new Map<string, Promise<FollowedTopic>>();

  constructor(storage: Storage, dataDirectory: string, options: ReadOnlyOptions) {
    this.#storage = storage;
    this.#directory = `${dataDirectory}/${TOPICS_DIRECTORY}`;
    this.#options = options;
  }

  /** Returns the topics in no particular order. */
  async find(): Promise<FoundTopics> {
    const topics: FoundTopic[] = [];
    const unreadable: UnopenableTopic[] = [];
    await inParallel((await this.#storage.list(this.#directory)) ?? [], async (name) => {
      if (UNFINISHED.test(name) || isOfTheSystem(name)) return;
      const location = `${this.#directory}/${name}`;
      try {
        const file = await readTopicFile(this.#storage, location);
        if (file !== undefined) topics.push({ topic: file.topic, id: file.id, location });
      } catch (cause) {
        unreadable.push({ location, topic: undefined, error: storageError(cause, `${location} cannot be read`) });
      }
    });
    return { topics, unreadable };
  }

  async partitionCount({ topic, location }: FoundTopic): Promise<number> {
    const identity = await readStoreFile(this.#storage, location);
    if (identity !== undefined) return identity.partitions;
    throw new NotALogStoreError(`${location} holds no log store`, { topic });
  }

  /**
   * Returns the topic that currently has the name.
   *
   * @throws UnknownTopicError, NotALogStoreError, StorageFailedError
   */
  async get(topic: string): Promise<FollowedTopic> {
    const { topics } = await this.find();
    const found = topics.find((each) => each.topic === topic);
    if (found !== undefined) return this.#opened(found.location);
    throw new UnknownTopicError(`there is no topic ${JSON.stringify(topic.slice(0, 300))}`, { topic });
  }

  async close(): Promise<void> {
    const opened = await Promise.allSettled(this.#open.values());
    for (const topic of opened) if (topic.status === "fulfilled") await topic.value.close();
  }

  #opened(location: string): Promise<FollowedTopic> {
    let open = this.#open.get(location);
    if (open === undefined) {
      open = this.#openOne(location);
      this.#open.set(location, open);
      open.catch(() => this.#open.delete(location));
    }
    return open;
  }

  async #openOne(location: string): Promise<FollowedTopic> {
    const file = await readTopicFile(this.#storage, location);
    if (file === undefined) throw new UnknownTopicError(`${location} was deleted`);
    const { topic, config } = file;
    try {
      const store = await ReadOnlyLogStore.open(location, this.#options);
      return new FollowedTopic(topic, idOf(file, store), location, config, store);
    } catch (cause) {
      throw storageError(cause, `topic ${topic} cannot be read`, { topic });
    }
  }
}

/** Release 0.1.0 gave topics no id. */
function idOf({ id }: TopicFile, store: ReadOnlyLogStore): string {
  return id ?? topicIdOf(store.id);
}
