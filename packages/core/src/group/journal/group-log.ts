/**
 * Where groups are written down: a log store of one partition in the broker's `groups/`, whose
 * records are the changes, and now and then a snapshot, after which the log's beginning is deleted.
 */
import { BufferFullError, GroupLimitExceededError, LogStoreError, StorageFailedError } from "@logstore/codec";
import { partitionDirectory, STORE_FILE } from "../../files/file-names.js";
import { STORED_BATCH_LIMITS } from "../../segment/read-batches.js";
import type { FilePool } from "../../storage/file-pool.js";
import { sharedPacer } from "../../storage/pacer.js";
import { storageError } from "../../storage/storage-error.js";
import { LogStore } from "../../store/log-store.js";
import type { LogStoreOptions } from "../../store/options.js";
import { storeCaches } from "../../store/store-caches.js";
import { apply, type GroupChange, type GroupState } from "../state/group-state.js";
import { GroupTotals } from "../state/group-totals.js";
import { decodeChange, encodeChange, encodeGroup } from "./group-format.js";
import { readSnapshot, SNAPSHOT_FILE, writeSnapshot } from "./snapshot-file.js";

export const GROUPS_DIRECTORY = "groups";

const MIB = 1024 * 1024;
/** Commits that wait for the disk beyond this are refused. */
const MAX_PENDING_BYTES = 16 * MIB;
/**
 * A change that is longer is refused. Turns and commits are cut into changes that are far shorter.
 */
const MAX_CHANGE_BYTES = 64 * MIB;
const SEGMENT_BYTES = 4 * MIB;
/**
 * A snapshot is made when the log has grown by so much, and by as much as the last snapshot was
 * long.
 */
const SNAPSHOT_BYTES = 4 * MIB;

export interface GroupLogOptions {
  /** Default 4 MiB. */
  readonly snapshotBytes?: number | undefined;
  /** Default 4 MiB. */
  readonly segmentBytes?: number | undefined;
}

export class GroupLog {
  readonly groups: Map<string, GroupState>;
  readonly totals: GroupTotals;
  readonly #home: GroupLogHome;
  readonly #snapshotBytes: number;
  /** Made by the first change: without groups there is no directory. */
  #store: LogStore | undefined;
  #opening: Promise<void> | undefined;
  /** Changes that came before it was open. */
  #early: (() => void)[] = [];
  /** Of the next change. */
  #nextOffset: number;
  #pendingBytes = 0;
  #last: Promise<unknown> = Promise.resolve();
  /** Since the last snapshot was begun. */
  #bytesSince = 0;
  #lastSnapshotBytes = 0;
  #snapshot: Promise<void> | undefined;
  #isClosed = false;

  private constructor(home: GroupLogHome, store: LogStore | undefined, { groups, bytes }: RecoveredGroups) {
    this.groups = groups;
    this.totals = home.totals;
    for (const { owner, usage } of groups.values()) this.totals.add(owner, usage);
    this.#home = home;
    this.#snapshotBytes = home.options.snapshotBytes ?? SNAPSHOT_BYTES;
    this.#store = store;
    this.#nextOffset = store?.partition(0).endOffset ?? 0;
    this.#bytesSince = bytes;
  }

  /**
   * Opens it, with all groups as they were.
   *
   * @throws StorageFailedError, CorruptPartitionError, NotALogStoreError,
   * UnsupportedFormatVersionError: what was there is not known
   */
  static async open(
    storage: FilePool,
    dataDirectory: string,
    options: GroupLogOptions = {},
    totals = new GroupTotals(),
  ): Promise<GroupLog> {
    const home = { storage, directory: `${dataDirectory}/${GROUPS_DIRECTORY}`, options, totals };
    let store: LogStore | undefined;
    try {
      if (!(await isMade(home))) return new GroupLog(home, undefined, { groups: new Map(), bytes: 0 });
      store = await openStore(home);
      const [{ damage } = { damage: undefined }] = store.recovery;
      if (damage !== undefined) throw damage;
      return new GroupLog(home, store, await recover(home, store));
    } catch (error) {
      await store?.close().catch(() => {});
      throw inGroups(error);
    }
  }

  /**
   * Takes changes, at once; resolves when they are durable, and all before them.
   *
   * @throws at once where one of them cannot be written down: then none is taken, and the log goes
   * on
   */
  append(changes: readonly GroupChange[]): Promise<void> {
    const values = changes.map(encoded);
    for (const [i, change] of changes.entries()) {
      this.#apply(change);
      this.#append(values[i]!);
    }
    if (this.#bytesSince > Math.max(this.#snapshotBytes, this.#lastSnapshotBytes)) this.#makeSnapshot();
    return this.settled();
  }

  #apply(change: GroupChange): void {
    const before = this.groups.get(change.group);
    if (before !== undefined) this.totals.add(before.owner, before.usage, -1);
    apply(this.groups, change);
    const after = this.groups.get(change.group);
    if (after !== undefined) this.totals.add(after.owner, after.usage);
  }

  #append(value: string): void {
    this.#nextOffset++;
    this.#pendingBytes += value.length;
    this.#bytesSince += value.length;
    this.#last = this.#write(value).finally(() => {
      this.#pendingBytes -= value.length;
    });
    this.#last.catch(() => {}); // the last one of all tells it
  }

  #write(value: string): Promise<unknown> {
    if (this.#store !== undefined) return this.#store.append(null, value);
    return new Promise((resolve, reject) => {
      this.#early.push(() => this.#store!.append(null, value).then(resolve, reject));
      this.#opening ??= this.#make();
      this.#opening.catch(reject);
    });
  }

  async #make(): Promise<void> {
    await this.#home.storage.makeDirectory(this.#home.directory);
    this.#store = await openStore(this.#home);
    for (const write of this.#early) write();
    this.#early = [];
  }

  /** Resolves when everything taken so far is durable. */
  async settled(): Promise<void> {
    try {
      await this.#last;
    } catch (error) {
      throw inGroups(error);
    }
  }

  /**
   * @throws BufferFullError where so much waits for the disk that nothing more is to be taken in
   */
  checkRoom(): void {
    if (this.#pendingBytes <= MAX_PENDING_BYTES) return;
    throw new BufferFullError(
      `${this.#pendingBytes} bytes of commits wait to be written, and ${MAX_PENDING_BYTES} may: await earlier ones first`,
      { expected: MAX_PENDING_BYTES, actual: this.#pendingBytes },
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening?.catch(() => {});
    await this.#snapshot;
    await this.#store?.close();
  }

  /** Where it cannot be made, the log is all there still, and the next one is tried later. */
  #makeSnapshot(): void {
    if (this.#store === undefined || this.#snapshot !== undefined || this.#isClosed) return;
    this.#bytesSince = 0;
    this.#snapshot = this.#writeSnapshot(this.#store)
      .catch(() => {})
      .finally(() => {
        this.#snapshot = undefined;
      });
  }

  async #writeSnapshot(store: LogStore): Promise<void> {
    const { storage, directory } = this.#home;
    const from = this.#nextOffset;
    // What the snapshot says must not be ahead of the log, whose next changes would have the same
    // offsets.
    const ready = () => store.flush();
    this.#lastSnapshotBytes = await writeSnapshot(storage, directory, from, this.#encoded(), ready);
    await store.deleteRecords(0, from);
  }

  *#encoded() {
    for (const state of this.groups.values()) yield* encodeGroup(state, () => this.#nextOffset);
  }
}

interface GroupLogHome {
  readonly storage: FilePool;
  readonly directory: string;
  readonly options: GroupLogOptions;
  readonly totals: GroupTotals;
}

interface RecoveredGroups {
  readonly groups: Map<string, GroupState>;
  /** Length of the changes that are not in the snapshot. */
  readonly bytes: number;
}

/** A crash may have left a directory that is empty, or almost. */
async function isMade({ storage, directory }: GroupLogHome): Promise<boolean> {
  const names = (await storage.list(directory)) ?? [];
  if (names.includes(STORE_FILE)) return true;
  if (names.includes(SNAPSHOT_FILE) || names.includes(partitionDirectory(0))) {
    throw lost(STORE_FILE, "is missing", directory);
  }
  return false;
}

function openStore({ storage, directory, options: { segmentBytes = SEGMENT_BYTES } }: GroupLogHome): Promise<LogStore> {
  const options: LogStoreOptions = {
    partitions: 1,
    segmentBytes,
    maxBatchBytes: STORED_BATCH_LIMITS.maxBatchBytes,
    maxQueuedBytes: Number.MAX_SAFE_INTEGER, // it is looked at before a change is made, not after
    tailCacheBytes: 0,
  };
  return LogStore.openLocked(directory, options, storage, storeCaches(options));
}

async function recover({ storage, directory }: GroupLogHome, store: LogStore): Promise<RecoveredGroups> {
  const { startOffset, endOffset } = store.partition(0);
  const found = await readSnapshot(storage, directory);
  const snapshot = found === "damaged" ? undefined : found;
  const { from = 0, upTo = 0, groups: inSnapshot } = snapshot ?? {};
  if (startOffset > from) throw lost(SNAPSHOT_FILE, found === undefined ? "is missing" : "is damaged", directory);
  if (upTo > endOffset) throw lost(SNAPSHOT_FILE, "knows more than the log", directory);
  const groups = new Map(inSnapshot);
  let bytes = 0;
  for await (const { value } of store.read(0, { from: Math.max(startOffset, from) })) {
    const change = decodeChange(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
    bytes += value.length;
    if (sharedPacer.isDue) await sharedPacer.pause();
    apply(groups, change); // some groups have it already: as the later ones follow, that makes no difference
  }
  return { groups, bytes };
}

/** @throws GroupLimitExceededError */
function encoded(change: GroupChange): string {
  const value = encodeChange(change);
  if (value.length <= MAX_CHANGE_BYTES) return value;
  const { group } = change;
  throw new GroupLimitExceededError(
    `a change of group ${group} takes ${value.length} bytes to write down, and ${MAX_CHANGE_BYTES} are the most: let it have fewer members, partitions or subscriptions`,
    { group, expected: MAX_CHANGE_BYTES, actual: value.length },
  );
}

function lost(name: string, what: string, directory: string): StorageFailedError {
  const file = `${GROUPS_DIRECTORY}/${name}`;
  return new StorageFailedError(
    `${directory}/${name} ${what}, and what groups committed is not known: restore the directory from a copy, or remove it and all groups begin anew`,
    { file },
  );
}

/** An error of the groups' log is not taken for one of a topic's partition. */
function inGroups(error: unknown): LogStoreError {
  if (!(error instanceof LogStoreError)) return storageError(error, "the groups' log failed");
  const { code, file } = error;
  if (code === "CLOSED" || file?.startsWith(GROUPS_DIRECTORY)) return error;
  return error.with({ file: `${GROUPS_DIRECTORY}/${file ?? "0"}` });
}
