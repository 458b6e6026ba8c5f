/**
 * The topics of a data directory: `topics/<id>/`, each a log store, with a file `topic.json` that names it. That file is written
 * last: a directory without it is a topic that a crash kept from being made, and is passed over.
 */
import {
  ClosedError,
  InvalidArgumentError,
  NotALogStoreError,
  TopicExistsError,
  UnknownTopicError,
} from "@logstore/codec";
import { readWholeFile, writeFileAtomically } from "../storage/atomic-file.js";
import type { Storage } from "../storage/storage.js";
import { LogStore } from "../store/log-store.js";
import type { LogStoreOptions } from "../store/options.js";
import { checkTopicName } from "./topic-name.js";

const TOPICS_DIRECTORY = "topics";
const TOPIC_FILE = "topic.json";

export class Topics {
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #storeOptions: LogStoreOptions;
  readonly #stores = new Map<string, LogStore>();
  /** Names of topics that are being made. */
  readonly #creating = new Map<string, Promise<LogStore>>();
  #closed = false;

  private constructor(storage: Storage, directory: string, storeOptions: LogStoreOptions) {
    this.#storage = storage;
    this.#directory = directory;
    this.#storeOptions = storeOptions;
  }

  static async open(storage: Storage, dataDirectory: string, storeOptions: LogStoreOptions): Promise<Topics> {
    const directory = `${dataDirectory}/${TOPICS_DIRECTORY}`;
    await storage.makeDirectory(directory);
    const topics = new Topics(storage, directory, { ...storeOptions, storage });
    try {
      for (const id of (await storage.list(directory)) ?? []) await topics.#openExisting(id);
    } catch (error) {
      await topics.close();
      throw error;
    }
    return topics;
  }

  /** By name. */
  list(): { topic: string; store: LogStore }[] {
    const topics = [...this.#stores].map(([topic, store]) => ({ topic, store }));
    return topics.sort((a, b) => (a.topic < b.topic ? -1 : 1));
  }

  /** @throws UnknownTopicError */
  store(topic: string): LogStore {
    const store = this.#stores.get(topic);
    if (store !== undefined) return store;
    throw new UnknownTopicError(`there is no topic ${JSON.stringify(topic.slice(0, 300))}: create it first`, { topic });
  }

  /** @throws InvalidArgumentError, TopicExistsError */
  async create(topic: string, partitions: number): Promise<LogStore> {
    if (this.#closed) throw new ClosedError("the broker is closed", { topic });
    checkTopicName(topic);
    if (!Number.isSafeInteger(partitions)) {
      throw new InvalidArgumentError(`a topic has a whole number of partitions, not ${partitions}`, { topic });
    }
    if (this.#stores.has(topic) || this.#creating.has(topic)) {
      throw new TopicExistsError(`topic ${topic} exists already`, { topic });
    }
    const creating = this.#make(topic, partitions);
    this.#creating.set(topic, creating);
    try {
      return await creating;
    } finally {
      this.#creating.delete(topic);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#creating.values());
    const closed = await Promise.allSettled([...this.#stores.values()].map((store) => store.close()));
    for (const result of closed) if (result.status === "rejected") throw result.reason;
  }

  async #make(topic: string, partitions: number): Promise<LogStore> {
    const directory = `${this.#directory}/${this.#storage.randomHex(8)}`;
    const store = await LogStore.open(directory, { ...this.#storeOptions, partitions });
    try {
      await writeFileAtomically(this.#storage, directory, TOPIC_FILE, Buffer.from(`${JSON.stringify({ topic })}\n`));
    } catch (error) {
      await store.close();
      throw error;
    }
    this.#stores.set(topic, store);
    return store;
  }

  async #openExisting(id: string): Promise<void> {
    const directory = `${this.#directory}/${id}`;
    const file = `${directory}/${TOPIC_FILE}`;
    const content = await readWholeFile(this.#storage, file);
    if (content === undefined) return;
    const topic = readTopicName(directory, content);
    if (this.#stores.has(topic)) {
      throw new NotALogStoreError(`${file} names topic ${topic}, and so does another: move one of them away`, { file });
    }
    this.#stores.set(topic, await LogStore.open(directory, this.#storeOptions));
  }
}

function readTopicName(directory: string, content: Uint8Array): string {
  try {
    const { topic } = JSON.parse(new TextDecoder().decode(content)) as { topic: string };
    checkTopicName(topic);
    return topic;
  } catch (cause) {
    const file = `${directory}/${TOPIC_FILE}`;
    throw new NotALogStoreError(`${file} names no topic: it is damaged; restore it from a copy`, { file }, { cause });
  }
}
