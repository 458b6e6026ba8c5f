/**
 * The snapshots in a data directory: `snapshots/<topic>/<name>/`, each a log store with a
 * `topic.json` and a `snapshot.json`. A snapshot is created under a temporary name and renamed when
 * it is complete, and renamed again before it is removed.
 */
import {
  ClosedError,
  LogStoreError,
  NotALogStoreError,
  SnapshotExistsError,
  UnknownSnapshotError,
} from "@logstore/codec";
import type { SnapshotDescription, TopicConfig } from "@logstore/protocol";
import { checkSnapshotName, checkTopicName } from "../../engine/topic-name.js";
import type { FileEngine } from "../../file-engine/file-engine.js";
import type { FileTopic } from "../../file-engine/file-topic.js";
import { readTopicFile, writeTopicFile } from "../../file-engine/topic-file.js";
import { TOPIC_FILE } from "../../files/file-names.js";
import { checkBounds, checkSize } from "../../restore/check-restored.js";
import { restoreStore } from "../../restore/restore-store.js";
import { writeSnapshotFile } from "../../snapshot/snapshot-file.js";
import { makeAside, removeAside } from "../../storage/atomic-directory.js";
import type { Storage } from "../../storage/storage.js";
import { withStorageErrors } from "../../storage/storage-error.js";
import { KeyedQueue } from "../topics/keyed-queue.js";
import type { TopicLifecycle } from "../topics/topic-lifecycle.js";
import { TopicTotals } from "../topics/topic-limits.js";
import { listSnapshots } from "./list-snapshots.js";
import { checkDirectoryName, SnapshotDirectories, type UnreadableSnapshot } from "./snapshot-directories.js";

export class Snapshots {
  readonly #engine: FileEngine;
  readonly #storage: Storage;
  readonly #directories: SnapshotDirectories;
  readonly #lifecycle: TopicLifecycle<FileTopic>;
  readonly #totals: TopicTotals;
  /** By topic. */
  readonly #changing = new KeyedQueue();
  /** Aborted on close; stops a running snapshot or restore. */
  readonly #stop = new AbortController();

  private constructor(engine: FileEngine, lifecycle: TopicLifecycle<FileTopic>, totals: TopicTotals) {
    this.#engine = engine;
    this.#storage = engine.storage;
    this.#directories = new SnapshotDirectories(engine.storage, engine.directory);
    this.#lifecycle = lifecycle;
    this.#totals = totals;
  }

  static async open(
    engine: FileEngine,
    lifecycle: TopicLifecycle<FileTopic>,
    totals = new TopicTotals(),
  ): Promise<Snapshots> {
    const snapshots = new Snapshots(engine, lifecycle, totals);
    totals.add({ snapshots: await snapshots.#directories.find() });
    return snapshots;
  }

  /** As found when the broker was opened. */
  get unreadable(): readonly UnreadableSnapshot[] {
    return this.#directories.unreadable;
  }

  /**
   * @throws UnknownTopicError, SnapshotExistsError, InvalidArgumentError,
   * ResourceLimitExceededError, CorruptPartitionError, StorageFailedError
   */
  async create(topic: string, snapshot: string): Promise<SnapshotDescription> {
    this.#checkOpen();
    checkSnapshotName(snapshot);
    checkDirectoryName(snapshot);
    return this.#lifecycle.keep(topic, (open) =>
      this.#change(topic, snapshot, "made", async () => {
        if (await this.#directories.has(topic, snapshot)) {
          throw new SnapshotExistsError(`topic ${topic} has a snapshot ${snapshot} already`, { topic });
        }
        this.#totals.reserve(topic, { snapshots: 1 });
        let made: SnapshotDescription;
        try {
          made = await this.#make(open, snapshot);
        } catch (error) {
          this.#totals.remove({ snapshots: 1 });
          throw error;
        }
        const what = `snapshot ${snapshot} of topic ${topic} was made, but may be gone after a power cut`;
        await this.#directories.syncNames(topic, `${what}: delete it and make it again`);
        return made;
      }),
    );
  }

  /**
   * Sorted by topic and name.
   *
   * @throws InvalidArgumentError; StorageFailedError if a directory of snapshots cannot be read
   */
  async list(topic?: string): Promise<SnapshotDescription[]> {
    this.#checkOpen();
    return listSnapshots(this.#directories, topic);
  }

  /** @throws UnknownSnapshotError, InvalidArgumentError */
  async delete(topic: string, snapshot: string): Promise<void> {
    this.#checkOpen();
    checkTopicName(topic);
    checkSnapshotName(snapshot);
    await this.#change(topic, snapshot, "deleted", async () => {
      const storage = this.#storage;
      const [directory, deleted] = this.#paths(topic, snapshot);
      if (!(await this.#directories.has(topic, snapshot))) throw unknown(topic, snapshot);
      const mayBeBack = `snapshot ${snapshot} of topic ${topic} was deleted, but may be back after a power cut`;
      await removeAside(storage, directory, deleted, () => {
        this.#totals.remove({ snapshots: 1 });
        return this.#directories.syncNames(topic, mayBeBack);
      });
    });
  }

  /**
   * Adds a topic with the records and the configuration of a snapshot.
   *
   * @throws UnknownSnapshotError, TopicExistsError, InvalidArgumentError,
   * ResourceLimitExceededError; NotALogStoreError and CorruptPartitionError if the snapshot is
   * damaged
   */
  async restore(topic: string, snapshot: string, newTopic: string): Promise<FileTopic> {
    this.#checkOpen();
    checkTopicName(topic);
    checkSnapshotName(snapshot);
    checkTopicName(newTopic);
    // First the queue of the topic, then that of the snapshots, as in `create`: in different
    // orders, the two calls could wait for each other.
    return this.#lifecycle.add(newTopic, (reserve) =>
      this.#engine.catalogue.createFrom(newTopic, (directory) =>
        this.#change(topic, snapshot, "restored", () => this.#restoreTo(directory, topic, snapshot, reserve)),
      ),
    );
  }

  /** Aborts operations in progress. */
  async close(): Promise<void> {
    this.#stop.abort(new ClosedError("the broker was closed"));
    await this.#changing.settle();
  }

  /** Resolves to the configuration of the restored topic. */
  async #restoreTo(
    directory: string,
    topic: string,
    snapshot: string,
    reserve: (partitions: number) => void,
  ): Promise<TopicConfig> {
    const description = await this.#directories.read(topic, snapshot);
    if (description === undefined) throw unknown(topic, snapshot);
    reserve(description.partitions.length);
    const source = this.#directories.path(topic, snapshot);
    const file = await readTopicFile(this.#storage, source);
    if (file === undefined) {
      throw new NotALogStoreError(`${source} has no ${TOPIC_FILE}: restore it from a copy`, {
        file: `${source}/${TOPIC_FILE}`,
      });
    }
    const sizeBytes = await restoreStore(this.#storage, source, directory, this.#stop.signal);
    checkSize(source, sizeBytes, description);
    await checkBounds(this.#storage, directory, description);
    return file.config;
  }

  async #make({ topic, id, store, config }: FileTopic, snapshot: string): Promise<SnapshotDescription> {
    const storage = this.#storage;
    const [directory, unfinished] = this.#paths(topic, snapshot);
    await this.#directories.make(topic);
    return makeAside(storage, unfinished, directory, async () => {
      const copied = await store.copyTo(unfinished, this.#stop.signal);
      const description = { topic, snapshot, ...copied };
      await writeTopicFile(storage, unfinished, { topic, id, config });
      await writeSnapshotFile(storage, unfinished, description);
      return description;
    });
  }

  /** The path of a snapshot, and a path at which it is created or removed. */
  #paths(topic: string, snapshot: string): [directory: string, unfinished: string] {
    return [this.#directories.path(topic, snapshot), this.#directories.unfinishedPath(topic)];
  }

  #checkOpen(): void {
    this.#stop.signal.throwIfAborted();
  }

  async #change<T>(topic: string, snapshot: string, done: string, work: () => Promise<T>): Promise<T> {
    const what = `snapshot ${snapshot} of topic ${topic} cannot be ${done}`;
    try {
      return await this.#changing.run(topic, async () => {
        this.#checkOpen();
        checkDirectoryName(topic);
        return withStorageErrors(what, work, { topic });
      });
    } catch (error) {
      throw error instanceof LogStoreError && error.topic === undefined ? error.with({ topic }) : error;
    }
  }
}

function unknown(topic: string, snapshot: string): UnknownSnapshotError {
  return new UnknownSnapshotError(`topic ${topic} has no snapshot ${snapshot}: list them to see which there are`, {
    topic,
  });
}
