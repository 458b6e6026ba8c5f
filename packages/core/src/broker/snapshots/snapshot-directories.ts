/**
 * Where the snapshots of a data directory are: `snapshots/<topic>/<name>/`. The directories' names
 * count, whatever is written in them: a snapshot may be put there by hand. See snapshot-names.ts
 * for capitals.
 */
import { InvalidArgumentError, type LogStoreError, SnapshotExistsError } from "@logstore/codec";
import type { SnapshotDescription } from "@logstore/protocol";
import { isName } from "../../engine/topic-name.js";
import { readSnapshotFile } from "../../snapshot/snapshot-file.js";
import { inParallel } from "../../storage/in-parallel.js";
import type { Storage } from "../../storage/storage.js";
import { storageError } from "../../storage/storage-error.js";
import { directoryNameOf, nameOfDirectory } from "./snapshot-names.js";

const SNAPSHOTS_DIRECTORY = "snapshots";
/** A snapshot that is being made or removed: none that is there has such a name. */
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

export class SnapshotDirectories {
  /** Found when the broker was opened. */
  readonly unreadable: UnreadableSnapshot[] = [];
  readonly #storage: Storage;
  readonly #directory: string;

  constructor(storage: Storage, dataDirectory: string) {
    this.#storage = storage;
    this.#directory = `${dataDirectory}/${SNAPSHOTS_DIRECTORY}`;
  }

  /** Removes what a crash left unfinished. Resolves to how many snapshots there are. */
  async find(): Promise<number> {
    await this.#renameFound();
    return this.#openFound((await this.#namesOrNone()).filter(isName));
  }

  /** Directory of a topic's snapshots, or of one of them. */
  path(...names: readonly (string | undefined)[]): string {
    return [this.#directory, ...names.filter((name) => name !== undefined).map(directoryNameOf)].join("/");
  }

  /** A directory of the topic's that counts for nothing yet, or no more. */
  unfinishedPath(topic: string): string {
    return this.path(topic, `~${this.#storage.randomHex(8)}`);
  }

  /** Makes the directory of a topic's snapshots. */
  async make(topic: string): Promise<void> {
    await this.#storage.makeDirectory(this.#directory);
    await this.#storage.makeDirectory(this.path(topic));
  }

  async has(topic: string, snapshot: string): Promise<boolean> {
    return (await this.#storage.list(this.path(topic, snapshot))) !== undefined;
  }

  /** What a snapshot says of itself; undefined where there is none. */
  async read(topic: string, snapshot: string): Promise<SnapshotDescription | undefined> {
    const said = await readSnapshotFile(this.#storage, this.path(topic, snapshot));
    return said && { ...said, topic, snapshot };
  }

  /** Of topics that have snapshots, or of a topic's snapshots; sorted. */
  async list(topic?: string): Promise<string[]> {
    return (await this.#names(topic)).filter(isName);
  }

  /** Makes durable what was renamed. @param what is true where that fails */
  async syncNames(topic: string, what: string): Promise<void> {
    try {
      await this.#storage.syncDirectory(this.path(topic));
    } catch (cause) {
      throw storageError(cause, what, { topic });
    }
  }

  /** What is found counts: its names become durable, if a crash came before they were. */
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
    // What cannot be removed is out of the way, and is tried again at the next opening.
    if (UNFINISHED.test(name)) await this.#storage.removeDirectory(this.path(topic, name)).catch(() => {});
    else if (isName(name)) await this.#look(topic, name);
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

  /**
   * Gives a directory the name that a topic or snapshot has now, where an earlier release or a
   * person wrote it as it is.
   */
  async #rename(from: string, topic: string, snapshot?: string): Promise<void> {
    const to = this.path(topic, snapshot);
    const isThere = (await this.#storage.list(to)) !== undefined;
    if (isThere)
      throw new SnapshotExistsError(`${from} and ${to} have the same name: move one of them away`, { topic });
    await this.#storage.rename(from, to);
    await this.#storage.syncDirectory(snapshot === undefined ? this.#directory : this.path(topic));
  }

  /**
   * Renames what has another name than it would be given today. What cannot be renamed is noted,
   * and left out.
   */
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
   * Of topics, or of a topic's snapshots, and of what is unfinished; sorted. What is no directory
   * has none.
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

/**
 * @throws InvalidArgumentError where its directory's name would be longer than a file system takes
 */
export function checkDirectoryName(name: string): void {
  const { length } = directoryNameOf(name);
  if (length <= MAX_NAME_BYTES) return;
  throw new InvalidArgumentError(
    `${name} cannot name a snapshot or a topic that has one: with its capitals its directory's name has ${length} bytes, and ${MAX_NAME_BYTES} are the most`,
    { expected: MAX_NAME_BYTES, actual: length },
  );
}
