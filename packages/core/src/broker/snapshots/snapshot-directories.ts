/**
 * The directories of snapshots in a data directory: `snapshots/<topic>/<name>/`. Topic and name are
 * taken from the path, not from the files, because a snapshot may be copied there by hand. See
 * snapshot-names.ts for upper case.
 */
import { InvalidArgumentError, type LogStoreError, SnapshotExistsError } from "@logstore/codec";
import type { SnapshotDescription } from "@logstore/protocol";
import { isName } from "../../engine/topic-name.js";
import { readSnapshotFile } from "../../snapshot/snapshot-file.js";
import { inParallel } from "../../storage/in-parallel.js";
import type { Storage } from "../../storage/storage.js";
import { storageError } from "../../storage/storage-error.js";
import { KeyedQueue } from "../topics/keyed-queue.js";
import { directoryNameOf, nameOfDirectory } from "./snapshot-names.js";

const SNAPSHOTS_DIRECTORY = "snapshots";
/** Name of a snapshot that is being created or removed. No complete snapshot has such a name. */
const UNFINISHED = /^~[0-9a-f]{16}$/;

const MAX_NAME_BYTES = 255;

/** A snapshot's directory that cannot be read. Other snapshots can be listed and restored. */
export interface UnreadableSnapshot {
  readonly directory: string;
  /** Undefined if the directory of all snapshots cannot be read. */
  readonly topic: string | undefined;
  /** Undefined if the directory of all snapshots of the topic cannot be read. */
  readonly snapshot: string | undefined;
  readonly error: LogStoreError;
}

export class SnapshotDirectories {
  /** As found when the broker was opened. */
  readonly unreadable: UnreadableSnapshot[] = [];
  /**
   * Lists read one description at a time, because one of 10,000 partitions is parsed at once. All
   * use the same key.
   */
  readonly listing = new KeyedQueue();
  readonly #storage: Storage;
  readonly #directory: string;

  constructor(storage: Storage, dataDirectory: string) {
    this.#storage = storage;
    this.#directory = `${dataDirectory}/${SNAPSHOTS_DIRECTORY}`;
  }

  /** Removes the remains of interrupted operations. Resolves to the number of snapshots. */
  async find(): Promise<number> {
    await this.#renameFound();
    return this.#openFound((await this.#namesOrNone()).filter(isName));
  }

  /** The directory of all snapshots, of a topic's snapshots, or of one snapshot. */
  path(...names: readonly (string | undefined)[]): string {
    return [this.#directory, ...names.filter((name) => name !== undefined).map(directoryNameOf)].join("/");
  }

  /** A new path for a snapshot of the topic that is being created or removed. */
  unfinishedPath(topic: string): string {
    return this.path(topic, `~${this.#storage.randomHex(8)}`);
  }

  /** Creates the directory of a topic's snapshots. */
  async make(topic: string): Promise<void> {
    await this.#storage.makeDirectory(this.#directory);
    await this.#storage.makeDirectory(this.path(topic));
  }

  async has(topic: string, snapshot: string): Promise<boolean> {
    return (await this.#storage.list(this.path(topic, snapshot))) !== undefined;
  }

  /** Reads a snapshot's description; undefined if the snapshot does not exist. */
  async read(topic: string, snapshot: string): Promise<SnapshotDescription | undefined> {
    const description = await readSnapshotFile(this.#storage, this.path(topic, snapshot));
    return description && { ...description, topic, snapshot };
  }

  /** Names of the topics that have snapshots, or of a topic's snapshots; sorted. */
  async list(topic?: string): Promise<string[]> {
    return (await this.#names(topic)).filter(isName);
  }

  /**
   * Makes the names of a topic's snapshots durable.
   *
   * @param what the message of the error if it fails
   */
  async syncNames(topic: string, what: string): Promise<void> {
    try {
      await this.#storage.syncDirectory(this.path(topic));
    } catch (cause) {
      throw storageError(cause, what, { topic });
    }
  }

  /** Makes the names durable, because a crash may have occurred before they were. */
  async #openFound(topics: readonly string[]): Promise<number> {
    const found: { topic: string; name: string }[] = [];
    await inParallel(topics, async (topic) => {
      await this.#renameFound(topic);
      for (const name of await this.#namesOrNone(topic)) found.push({ topic, name });
    });
    await inParallel(found, ({ topic, name }) => this.#openOne(topic, name));
    await inParallel([...new Set(found.map(({ topic }) => topic))], (topic) =>
      this.#storage.syncDirectory(this.path(topic)).catch((cause) => this.#noteUnreadable(cause, topic)),
    );
    this.unreadable.sort((a, b) => (a.directory < b.directory ? -1 : 1));
    return found.filter(({ name }) => isName(name)).length;
  }

  async #openOne(topic: string, name: string): Promise<void> {
    // The remains of a removal do no harm, and are removed when the broker is next opened.
    if (UNFINISHED.test(name)) await this.#storage.removeDirectory(this.path(topic, name)).catch(() => {});
    else if (isName(name)) await this.#look(topic, name);
  }

  /** Returns no names if the directory cannot be read: the other snapshots are served. */
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
    const directory = this.path(topic, snapshot);
    const error = storageError(cause, `${directory} cannot be read`, { topic });
    this.unreadable.push({ directory, topic, snapshot, error });
  }

  async #look(topic: string, snapshot: string): Promise<void> {
    try {
      await this.read(topic, snapshot);
    } catch (cause) {
      this.#noteUnreadable(cause, topic, snapshot);
    }
  }

  /** Renames a directory that a user or an earlier release named without encoding. */
  async #rename(from: string, topic: string, snapshot?: string): Promise<void> {
    const to = this.path(topic, snapshot);
    const isThere = (await this.#storage.list(to)) !== undefined;
    if (isThere)
      throw new SnapshotExistsError(`${from} and ${to} have the same name: move one of them away`, { topic });
    await this.#storage.rename(from, to);
    await this.#storage.syncDirectory(snapshot === undefined ? this.#directory : this.path(topic));
  }

  /** Renames directories without an encoded name. One that cannot be renamed is unreadable. */
  async #renameFound(topic?: string): Promise<void> {
    const directories = (await this.#storage.list(this.path(topic)).catch(() => undefined)) ?? [];
    for (const directory of directories) {
      const name = nameOfDirectory(directory);
      if (!isName(name) || directoryNameOf(name) === directory) continue;
      const [ofTopic, ofSnapshot] = topic === undefined ? [name] : [topic, name];
      const from = `${this.path(topic)}/${directory}`;
      await this.#rename(from, ofTopic!, ofSnapshot).catch((cause) => this.#noteUnreadable(cause, ofTopic, ofSnapshot));
    }
  }

  /**
   * Names of topics, or of a topic's snapshots, including unfinished ones; sorted. None if the path
   * is not a directory.
   */
  async #names(topic?: string): Promise<string[]> {
    try {
      const directories = (await this.#storage.list(this.path(topic))) ?? [];
      const counted = directories.filter((each) => directoryNameOf(nameOfDirectory(each)) === each);
      return counted.map(nameOfDirectory).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return [];
      throw error;
    }
  }
}

/** @throws InvalidArgumentError if the encoded name is too long for a file system */
export function checkDirectoryName(name: string): void {
  const { length } = directoryNameOf(name);
  if (length <= MAX_NAME_BYTES) return;
  throw new InvalidArgumentError(
    `${name} cannot name a snapshot or a topic that has one: its directory name, in which upper case is encoded, has ${length} bytes, and the limit is ${MAX_NAME_BYTES}`,
    { expected: MAX_NAME_BYTES, actual: length },
  );
}
