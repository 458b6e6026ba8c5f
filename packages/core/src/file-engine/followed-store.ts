/** A log store that another process writes to, as the only topic of its directory. */
import { basename, resolve } from "node:path";
import { ClosedError, UnknownTopicError } from "@logstore/codec";
import type { LogStoreHooks } from "../hooks/hooks.js";
import type { Storage } from "../storage/storage.js";
import { ReadOnlyLogStore } from "../store/read-only-log-store.js";
import type { FollowedTopics } from "./followed-catalogue.js";
import { FollowedTopic } from "./followed-topic.js";
import { readTopicFile, topicIdOf } from "./topic-file.js";

export class FollowedStore implements FollowedTopics {
  readonly #topic: FollowedTopic;
  #isClosed = false;

  private constructor(topic: FollowedTopic) {
    this.#topic = topic;
  }

  /** @throws NotALogStoreError, UnsupportedFormatVersionError */
  static async open(storage: Storage, directory: string, hooks: LogStoreHooks): Promise<FollowedStore> {
    const file = await readTopicFile(storage, directory); // a snapshot of a topic has one
    const store = await ReadOnlyLogStore.openIn(storage, directory, hooks);
    const name = file?.topic ?? nameOf(directory);
    const id = file?.id ?? topicIdOf(store.id);
    return new FollowedStore(new FollowedTopic(name, id, directory, file?.config ?? {}, store));
  }

  async find(): ReturnType<FollowedTopics["find"]> {
    this.checkOpen();
    return { topics: [this.#topic], unreadable: [] };
  }

  async partitionCount(): Promise<number> {
    return this.#topic.partitionCount;
  }

  /** @throws UnknownTopicError, ClosedError */
  async get(topic: string): Promise<FollowedTopic> {
    this.checkOpen();
    const { topic: name, location } = this.#topic;
    if (topic === name) return this.#topic;
    const [given, only] = [topic.slice(0, 300), name].map((text) => JSON.stringify(text));
    throw new UnknownTopicError(
      `there is no topic ${given}: ${location} is a log store, and its only topic is ${only}`,
      {
        topic,
      },
    );
  }

  /** @throws ClosedError */
  checkOpen(): void {
    if (this.#isClosed) throw new ClosedError("the log store is closed");
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#topic.close();
  }
}

/** The root of a volume has no name. */
function nameOf(directory: string): string {
  return basename(resolve(directory)) || "log";
}
