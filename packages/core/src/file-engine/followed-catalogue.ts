/**
 * The topics of a data directory that another process writes to. Each call reads their files again,
 * because that process may create, alter and delete topics; nothing is changed.
 */
import { ClosedError, NotALogStoreError, UnknownTopicError } from "@logstore/codec";
import type { FoundTopic, FoundTopics, UnopenableTopic } from "../engine/topic-catalogue.js";
import { isOfTheSystem } from "../files/file-names.js";
import { readStoreFile } from "../files/store-file.js";
import type { LogStoreHooks } from "../hooks/hooks.js";
import { eachInParallel, inParallel } from "../storage/in-parallel.js";
import type { Storage } from "../storage/storage.js";
import { storageError } from "../storage/storage-error.js";
import { ReadOnlyLogStore } from "../store/read-only-log-store.js";
import { TOPICS_DIRECTORY, UNFINISHED } from "./file-catalogue.js";
import { FollowedTopic } from "./followed-topic.js";
import { readTopicFile, type TopicFile, topicIdOf } from "./topic-file.js";

interface FoundFile extends TopicFile {
  readonly location: string;
}

interface FoundFiles extends FoundTopics {
  readonly topics: readonly FoundFile[];
}

type Opening = Promise<FollowedTopic>;

/** The topics of a directory that another process writes to. */
export type FollowedTopics = Pick<FollowedCatalogue, "find" | "partitionCount" | "get" | "checkOpen" | "close">;

export class FollowedCatalogue {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #hooks: LogStoreHooks;
  /** Open topics, by location. */
  readonly #open = new Map<string, Opening>();
  /** Where the topics were last found, by name. */
  #locations: ReadonlyMap<string, string> = new Map();
  #closing: Promise<void> | undefined;

  constructor(storage: Storage, dataDirectory: string, hooks: LogStoreHooks) {
    this.#storage = storage;
    this.#directory = `${dataDirectory}/${TOPICS_DIRECTORY}`;
    this.#hooks = hooks;
  }

  /** Returns the topics in no particular order. Closes those that were deleted. */
  async find(): Promise<FoundFiles> {
    this.checkOpen();
    const gone = new Map(this.#open); // before the listing: a topic that is opened later may not be in it
    const names = (await this.#storage.list(this.#directory)) ?? [];
    const locations = names.map((name) => `${this.#directory}/${name}`);
    for (const location of locations) gone.delete(location);
    await this.#closeEach([...gone]).catch(() => {}); // what was deleted has no more to lose
    const topics: FoundFile[] = [];
    const unreadable: UnopenableTopic[] = [];
    await inParallel(names, async (name, index) => {
      if (UNFINISHED.test(name) || isOfTheSystem(name)) return;
      const location = locations[index]!;
      try {
        const file = await readTopicFile(this.#storage, location);
        if (file !== undefined) topics.push({ ...file, location });
      } catch (cause) {
        unreadable.push({ location, topic: undefined, error: storageError(cause, `${location} cannot be read`) });
      }
    });
    this.#locations = new Map(topics.map(({ topic, location }) => [topic, location]));
    return { topics, unreadable };
  }

  async partitionCount({ topic, location }: FoundTopic): Promise<number> {
    const identity = await readStoreFile(this.#storage, location);
    if (identity !== undefined) return identity.partitions;
    throw new NotALogStoreError(`${location} holds no log store`, { topic });
  }

  /**
   * Returns the topic that currently has the name, with its current configuration.
   *
   * @throws UnknownTopicError, NotALogStoreError, StorageFailedError, ClosedError
   */
  async get(topic: string): Promise<FollowedTopic> {
    const found = (await this.#lastFound(topic)) ?? (await this.find()).topics.find((each) => each.topic === topic);
    if (found === undefined) {
      throw new UnknownTopicError(`there is no topic ${JSON.stringify(topic.slice(0, 300))}`, { topic });
    }
    const open = await this.#opened(found.location);
    open.config = found.config;
    return open;
  }

  /** @throws ClosedError */
  checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError("the broker is closed");
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeEach([...this.#open]);
    return this.#closing;
  }

  /** Spares the reading of all topics. Undefined if the topic is no longer where it was found. */
  async #lastFound(topic: string): Promise<FoundFile | undefined> {
    const location = this.#locations.get(topic);
    if (location === undefined) return undefined;
    try {
      const file = await readTopicFile(this.#storage, location);
      return file?.topic === topic ? { ...file, location } : undefined;
    } catch (cause) {
      throw storageError(cause, `topic ${topic} cannot be read`, { topic });
    }
  }

  #opened(location: string): Opening {
    this.checkOpen();
    let open = this.#open.get(location);
    if (open === undefined) {
      open = this.#openOne(location);
      this.#open.set(location, open);
      open.catch(() => this.#open.delete(location));
    }
    return open;
  }

  async #openOne(location: string): Opening {
    const file = await readTopicFile(this.#storage, location);
    if (file === undefined) throw new UnknownTopicError(`${location} was deleted`);
    const { topic, config } = file;
    try {
      const store = await ReadOnlyLogStore.openIn(this.#storage, location, this.#hooks);
      return new FollowedTopic(topic, idOf(file, store), location, config, store);
    } catch (cause) {
      throw storageError(cause, `topic ${topic} cannot be read`, { topic });
    }
  }

  /** A topic that could not be opened has nothing to close. */
  #closeEach(topics: readonly (readonly [string, Opening])[]): Promise<void> {
    for (const [location] of topics) this.#open.delete(location);
    return eachInParallel(topics, ([, opening]) =>
      opening.then(
        (topic) => topic.close(),
        () => {},
      ),
    );
  }
}

/** Release 0.1.0 gave topics no id. */
function idOf({ id }: TopicFile, store: ReadOnlyLogStore): string {
  return id ?? topicIdOf(store.id);
}
