/**
 * The snapshots of a data directory: `snapshots/<topic>/<name>/`, each a log store with a
 * `topic.json` and a `snapshot.json`. One is made under another name and renamed when it is whole,
 * and renamed again before it is removed. The directories' names count, whatever is written in
 * them: a snapshot may be put there by hand. See snapshot-names.ts for capitals.
 */
import {
  ClosedError,
  InvalidArgumentError,
  LogStoreError,
  NotALogStoreError,
  SnapshotExistsError,
  UnknownSnapshotError,
} from "@logstore/codec";
import type { SnapshotDescription, TopicConfig } from "@logstore/protocol";
import { detailOf } from "../errors/error-detail.js";
import { TOPIC_FILE } from "../files/file-names.js";
import { checkBounds, checkSize } from "../restore/check-restored.js";
import { restoreStore } from "../restore/restore-store.js";
import { readSnapshotFile, writeSnapshotFile } from "../snapshot/snapshot-file.js";
import { inParallel } from "../storage/in-parallel.js";
import { sharedPacer } from "../storage/pacer.js";
import type { Storage } from "../storage/storage.js";
import { storageError, withStorageErrors } from "../storage/storage-error.js";
import { OneAtATime } from "./one-at-a-time.js";
import { directoryNameOf, nameOfDirectory } from "./snapshot-names.js";
import { readTopicFile, writeTopicFile } from "./topic-file.js";
import { TopicTotals } from "./topic-limits.js";
import { checkSnapshotName, checkTopicName, isName } from "./topic-name.js";
import type { Topic, Topics } from "./topics.js";

const SNAPSHOTS_DIRECTORY = "snapshots";
/** On its way in, or out: no snapshot has such a name. */
const UNFINISHED = /^~[0-9a-f]{16}$/;

const MAX_NAME_BYTES = 255;

/**
 * A snapshot's directory that says nothing that can be believed: the others can be listed and
 * restored none the less.
 */
export interface UnreadableSnapshot {
  readonly directory: string;
  /** Undefined where the directory of all snapshots cannot be read. */
  readonly topic: string | undefined;
  /** Undefined where the directory of all snapshots of the topic cannot be read. */
  readonly snapshot: string | undefined;
  readonly error: LogStoreError;
}

export class Snapshots {
  /** Found when the broker was opened. */
  readonly unreadable: UnreadableSnapshot[] = [];
  readonly #storage: Storage;
  readonly #directory: string;
  readonly #topics: Topics;
  readonly #totals: TopicTotals;
  /** By topic. */
  readonly #changing = new OneAtATime();
  readonly #listing = new OneAtATime();
  readonly #stop = new AbortController();

  private constructor(storage: Storage, directory: string, topics: Topics, totals: TopicTotals) {
    this.#storage = storage;
    this.#directory = directory;
    this.#topics = topics;
    this.#totals = totals;
  }

  static async open(
    storage: Storage,
    dataDirectory: string,
    topics: Topics,
    totals = new TopicTotals(),
  ): Promise<Snapshots> {
    const directory = `${dataDirectory}/${SNAPSHOTS_DIRECTORY}`;
    const snapshots = new Snapshots(storage, directory, topics, totals);
    await snapshots.#renameFound();
    await snapshots.#openFound((await snapshots.#namesOrNone()).filter(isName));
    return snapshots;
  }

  /**
   * @throws UnknownTopicError, SnapshotExistsError, InvalidArgumentError,
   * ResourceLimitExceededError, CorruptPartitionError, StorageFailedError
   */
  async create(topic: string, snapshot: string): Promise<SnapshotDescription> {
    this.#checkOpen();
    checkSnapshotName(snapshot);
    checkDirectoryName(snapshot);
    return this.#topics.keep(topic, (open) =>
      this.#change(topic, snapshot, "made", async () => {
        if ((await this.#storage.list(this.#path(topic, snapshot))) !== undefined) {
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
        await this.#syncNames(topic, `${what}: delete it and make it again`);
        return made;
      }),
    );
  }

  /**
   * By topic and name. @throws InvalidArgumentError, StorageFailedError where a directory of
   * snapshots cannot be read
   */
  async list(topic?: string): Promise<SnapshotDescription[]> {
    this.#checkOpen();
    if (topic !== undefined) checkTopicName(topic);
    return withStorageErrors("snapshots cannot be listed", async () => {
      const found: SnapshotDescription[] = [];
      for (const each of topic === undefined ? (await this.#names()).filter(isName) : [topic]) {
        const names = await this.#names(each).catch((cause) => {
          if (topic !== undefined) throw cause;
          found.push(this.#unreadable(each, "", cause)); // it costs this topic's snapshots, not the others
          return [];
        });
        for (const name of names.filter(isName)) {
          const snapshot = await this.#readInTurn(each, name);
          if (snapshot !== undefined) found.push(snapshot);
        }
      }
      return found;
    });
  }

  /** One at a time of all lists: what each says of up to 10,000 partitions is parsed in one go. */
  #readInTurn(topic: string, snapshot: string): Promise<SnapshotDescription | undefined> {
    return this.#listing.run("", async () => {
      await sharedPacer.pause();
      return this.#read(topic, snapshot).catch((cause) => this.#unreadable(topic, snapshot, cause));
    });
  }

  #unreadable(topic: string, snapshot: string, cause: unknown): SnapshotDescription {
    const which = snapshot === "" ? "the snapshots" : `snapshot ${snapshot}`;
    const damage = detailOf(storageError(cause, `${which} of topic ${topic} cannot be read`, { topic }));
    return { topic, snapshot, createdAt: 0, partitions: [], sizeBytes: 0, damage };
  }

  /** @throws UnknownSnapshotError, InvalidArgumentError */
  async delete(topic: string, snapshot: string): Promise<void> {
    this.#checkOpen();
    checkTopicName(topic);
    checkSnapshotName(snapshot);
    await this.#change(topic, snapshot, "deleted", async () => {
      const storage = this.#storage;
      const [directory, deleted] = [this.#path(topic, snapshot), this.#unfinishedPath(topic)];
      if ((await storage.list(directory)) === undefined) throw unknown(topic, snapshot);
      await storage.rename(directory, deleted);
      this.#totals.remove({ snapshots: 1 });
      // It is gone; the rest is done now, or when the broker is opened again.
      const removed = () => storage.removeDirectory(deleted).catch(() => {});
      await this.#syncNames(
        topic,
        `snapshot ${snapshot} of topic ${topic} was deleted, but may be back after a power cut`,
      ).finally(removed);
    });
  }

  /**
   * Adds a topic with the records and the configuration of a snapshot.
   *
   * @throws UnknownSnapshotError, TopicExistsError, InvalidArgumentError,
   * ResourceLimitExceededError; NotALogStoreError and CorruptPartitionError where the snapshot is
   * not what it was
   */
  async restore(topic: string, snapshot: string, newTopic: string): Promise<Topic> {
    this.#checkOpen();
    checkTopicName(topic);
    checkSnapshotName(snapshot);
    checkTopicName(newTopic);
    // The topic's turn before the snapshots', as whoever makes one has them: the other way round,
    // the two could wait for each other.
    return this.#topics.add(newTopic, (directory, reserve) =>
      this.#change(topic, snapshot, "restored", () => this.#restoreTo(directory, topic, snapshot, reserve)),
    );
  }

  /** What is under way comes to nothing. */
  async close(): Promise<void> {
    this.#stop.abort(new ClosedError("the broker was closed"));
    await this.#changing.settle();
  }

  /** Resolves to the configuration of what was restored. */
  async #restoreTo(
    directory: string,
    topic: string,
    snapshot: string,
    reserve: (partitions: number) => void,
  ): Promise<TopicConfig> {
    const said = await this.#read(topic, snapshot);
    if (said === undefined) throw unknown(topic, snapshot);
    reserve(said.partitions.length);
    const source = this.#path(topic, snapshot);
    const file = await readTopicFile(this.#storage, source);
    if (file === undefined) {
      throw new NotALogStoreError(`${source} has no ${TOPIC_FILE}: restore it from a copy`, {
        file: `${source}/${TOPIC_FILE}`,
      });
    }
    const sizeBytes = await restoreStore(this.#storage, source, directory, this.#stop.signal);
    checkSize(source, sizeBytes, said);
    await checkBounds(this.#storage, directory, said);
    return file.config;
  }

  async #make({ topic, id, store, config }: Topic, snapshot: string): Promise<SnapshotDescription> {
    const storage = this.#storage;
    const [directory, unfinished] = [this.#path(topic, snapshot), this.#unfinishedPath(topic)];
    await storage.makeDirectory(this.#directory);
    await storage.makeDirectory(this.#path(topic));
    try {
      const copied = await store.copyTo(unfinished, this.#stop.signal);
      const description = { topic, snapshot, ...copied };
      await writeTopicFile(storage, unfinished, { topic, id, config });
      await writeSnapshotFile(storage, unfinished, description);
      await storage.rename(unfinished, directory);
      return description;
    } catch (error) {
      await storage.removeDirectory(unfinished).catch(() => {}); // the next opening removes it, then
      throw error;
    }
  }

  /** Makes durable what was renamed. @param what is true where that fails */
  async #syncNames(topic: string, what: string): Promise<void> {
    try {
      await this.#storage.syncDirectory(this.#path(topic));
    } catch (cause) {
      throw storageError(cause, what, { topic });
    }
  }

  /** What is found counts: its names become durable, if a crash came before they were. */
  async #openFound(topics: readonly string[]): Promise<void> {
    const found: { topic: string; name: string }[] = [];
    await inParallel(topics, async (topic) => {
      await this.#renameFound(topic);
      for (const name of await this.#namesOrNone(topic)) found.push({ topic, name });
    });
    await inParallel(found, ({ topic, name }) => this.#openOne(topic, name));
    await inParallel([...new Set(found.map(({ topic }) => topic))], (topic) =>
      this.#storage.syncDirectory(this.#path(topic)).catch((cause) => this.#noteUnreadable(cause, topic)),
    );
    this.unreadable.sort((a, b) => (a.directory < b.directory ? -1 : 1));
  }

  async #openOne(topic: string, name: string): Promise<void> {
    // What cannot be removed is out of the way, and is tried again at the next opening.
    if (UNFINISHED.test(name)) await this.#storage.removeDirectory(this.#path(topic, name)).catch(() => {});
    else if (isName(name)) {
      this.#totals.add({ snapshots: 1 });
      await this.#look(topic, name);
    }
  }

  /** A directory that cannot be read costs what is in it: everything else is served. */
  async #namesOrNone(topic?: string): Promise<string[]> {
    try {
      const names = await this.#names(topic);
      if (topic === undefined && names.length > 0) await this.#storage.syncDirectory(this.#directory);
      return names;
    } catch (cause) {
      this.#noteUnreadable(cause, topic);
      return [];
    }
  }

  #noteUnreadable(cause: unknown, topic?: string, snapshot?: string): void {
    const directory = this.#path(topic, snapshot);
    const error = storageError(cause, `${directory} cannot be read`, { topic });
    this.unreadable.push({ directory, topic, snapshot, error });
  }

  async #look(topic: string, snapshot: string): Promise<void> {
    try {
      await this.#read(topic, snapshot);
    } catch (cause) {
      this.#noteUnreadable(cause, topic, snapshot);
    }
  }

  async #read(topic: string, snapshot: string): Promise<SnapshotDescription | undefined> {
    const said = await readSnapshotFile(this.#storage, this.#path(topic, snapshot));
    return said && { ...said, topic, snapshot };
  }

  /**
   * Gives a directory the name that a topic or snapshot has now, where an earlier release or a
   * person wrote it as it is.
   */
  async #rename(from: string, topic: string, snapshot?: string): Promise<void> {
    const to = this.#path(topic, snapshot);
    const isThere = (await this.#storage.list(to)) !== undefined;
    if (isThere)
      throw new SnapshotExistsError(`${from} and ${to} have the same name: move one of them away`, { topic });
    await this.#storage.rename(from, to);
    await this.#storage.syncDirectory(snapshot === undefined ? this.#directory : this.#path(topic));
  }

  /**
   * Renames what has another name than it would be given today. What cannot be renamed is noted,
   * and left out.
   */
  async #renameFound(topic?: string): Promise<void> {
    const directories = (await this.#storage.list(this.#path(topic)).catch(() => undefined)) ?? [];
    for (const directory of directories) {
      const name = nameOfDirectory(directory);
      if (!isName(name) || directoryNameOf(name) === directory) continue;
      const [ofTopic, ofSnapshot] = topic === undefined ? [name] : [topic, name];
      const from = `${this.#path(topic)}/${directory}`;
      await this.#rename(from, ofTopic!, ofSnapshot).catch((cause) => this.#noteUnreadable(cause, ofTopic, ofSnapshot));
    }
  }

  /**
   * Of topics, or of a topic's snapshots, and of what is unfinished; sorted. What is no directory
   * has none.
   */
  async #names(topic?: string): Promise<string[]> {
    try {
      const directories = (await this.#storage.list(this.#path(topic))) ?? [];
      const counted = directories.filter((each) => directoryNameOf(nameOfDirectory(each)) === each);
      return counted.map(nameOfDirectory).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return [];
      throw error;
    }
  }

  #path(...names: readonly (string | undefined)[]): string {
    return [this.#directory, ...names.filter((name) => name !== undefined).map(directoryNameOf)].join("/");
  }

  #unfinishedPath(topic: string): string {
    return this.#path(topic, `~${this.#storage.randomHex(8)}`);
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

/**
 * @throws InvalidArgumentError where its directory's name would be longer than a file system takes
 */
function checkDirectoryName(name: string): void {
  const { length } = directoryNameOf(name);
  if (length <= MAX_NAME_BYTES) return;
  throw new InvalidArgumentError(
    `${name} cannot name a snapshot or a topic that has one: with its capitals its directory's name has ${length} bytes, and ${MAX_NAME_BYTES} are the most`,
    { expected: MAX_NAME_BYTES, actual: length },
  );
}

function unknown(topic: string, snapshot: string): UnknownSnapshotError {
  return new UnknownSnapshotError(`topic ${topic} has no snapshot ${snapshot}: list them to see which there are`, {
    topic,
  });
}
