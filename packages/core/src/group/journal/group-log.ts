/**
 * Durable storage of groups: the records of an engine's partition log are the changes, and an
 * occasional snapshot replaces the beginning of the log, which is then deleted.
 */
import { BufferFullError, GroupLimitExceededError, LogStoreError, StorageFailedError } from "@logstore/codec";
import type { Engine } from "../../engine/engine.js";
import type { JournalStore } from "../../engine/journal-store.js";
import type { PartitionLog } from "../../engine/partition-log.js";
import { readRecords } from "../../engine/read/read-records.js";
import { PacedTask } from "../../pacing/pacer.js";
import { storageError } from "../../storage/storage-error.js";
import { apply, type GroupChange, type GroupState } from "../state/group-state.js";
import { GroupTotals } from "../state/group-totals.js";
import { decodeChange, encodeChange } from "./change-json.js";
import { ChangeWriter } from "./change-writer.js";
import { encodeGroup } from "./group-json.js";
import { readSnapshot, SNAPSHOT_FILE, writeSnapshot } from "./snapshot-file.js";

/** Errors of the groups' log name its files with this prefix. */
const GROUPS = "groups";

const MIB = 1024 * 1024;
/** Limit on commits that wait for the disk; further ones are refused. */
const MAX_PENDING_BYTES = 16 * MIB;
/** A longer change is refused. Turns and commits are split into much shorter changes. */
const MAX_CHANGE_BYTES = 64 * MIB;
/**
 * A snapshot is made when the log has grown by this much, and by at least the length of the last
 * snapshot.
 */
const SNAPSHOT_BYTES = 4 * MIB;

export interface GroupLogOptions {
  /** Default 4 MiB. */
  readonly snapshotBytes?: number | undefined;
}

/** The part of an engine that groups use. */
export type GroupEngine = Pick<Engine, "journal" | "now" | "randomHex">;

export class GroupLog {
  readonly groups: Map<string, GroupState>;
  readonly totals: GroupTotals;
  readonly #store: JournalStore;
  readonly #writer: ChangeWriter;
  /** Created by the first change: without groups there is no log. */
  #log: PartitionLog | undefined;
  readonly #snapshotBytes: number;
  /** Offset of the next change. */
  #nextOffset: number;
  /** Bytes since the last snapshot was started. */
  #bytesSince: number;
  #lastSnapshotBytes = 0;
  #snapshot: Promise<void> | undefined;
  #isClosed = false;

  private constructor(
    engine: GroupEngine,
    log: PartitionLog | undefined,
    { groups, bytes }: RecoveredGroups,
    { snapshotBytes = SNAPSHOT_BYTES }: GroupLogOptions,
    totals: GroupTotals,
  ) {
    this.groups = groups;
    this.totals = totals;
    for (const { owner, usage } of groups.values()) totals.add(owner, usage);
    this.#store = engine.journal;
    this.#snapshotBytes = snapshotBytes;
    this.#log = log;
    this.#writer = new ChangeWriter(engine, async () => (this.#log ??= await engine.journal.make()));
    this.#nextOffset = log?.offsets.logEnd ?? 0;
    this.#bytesSince = bytes;
  }

  /**
   * Opens the log and restores all groups.
   *
   * @throws StorageFailedError, CorruptPartitionError, NotALogStoreError,
   * UnsupportedFormatVersionError if the groups cannot be restored
   */
  static async open(engine: GroupEngine, options: GroupLogOptions = {}, totals = new GroupTotals()): Promise<GroupLog> {
    try {
      const log = await engine.journal.open();
      if (log === undefined) return new GroupLog(engine, undefined, { groups: new Map(), bytes: 0 }, options, totals);
      if (log.damage !== undefined) throw log.damage;
      return new GroupLog(engine, log, await recover(engine.journal, log), options, totals);
    } catch (error) {
      await engine.journal.close().catch(() => {});
      throw inGroups(error);
    }
  }

  /**
   * Appends changes synchronously; resolves when they and all earlier ones are durable.
   *
   * @throws synchronously if one of them cannot be encoded: then none is appended, and the log
   * stays usable
   */
  append(changes: readonly GroupChange[]): Promise<void> {
    const values = changes.map(encoded);
    for (const [i, change] of changes.entries()) {
      this.#apply(change);
      const value = values[i]!;
      this.#writer.write(value);
      this.#nextOffset++;
      this.#bytesSince += value.length;
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

  /** Resolves when everything appended so far is durable. */
  async settled(): Promise<void> {
    try {
      await this.#writer.settled();
    } catch (error) {
      throw inGroups(error);
    }
  }

  /** @throws BufferFullError if too much waits for the disk */
  checkRoom(): void {
    const { pendingBytes } = this.#writer;
    if (pendingBytes <= MAX_PENDING_BYTES) return;
    throw new BufferFullError(
      `${pendingBytes} bytes of commits wait to be written, and ${MAX_PENDING_BYTES} may: await earlier ones first`,
      { expected: MAX_PENDING_BYTES, actual: pendingBytes },
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writer.close();
    await this.#snapshot;
    await this.#store.close();
  }

  /** If it fails, the log is still complete, and the next snapshot is tried later. */
  #makeSnapshot(): void {
    const log = this.#log;
    if (log === undefined || this.#snapshot !== undefined || this.#isClosed) return;
    this.#bytesSince = 0;
    this.#snapshot = this.#writeSnapshot(log)
      .catch(() => {})
      .finally(() => {
        this.#snapshot = undefined;
      });
  }

  async #writeSnapshot(log: PartitionLog): Promise<void> {
    const from = this.#nextOffset;
    // The snapshot must not be ahead of the log, or later changes would get offsets that it claims
    // to include.
    const ready = () => this.#writer.settled();
    this.#lastSnapshotBytes = await writeSnapshot(this.#store, from, this.#encoded(), ready);
    await log.deleteRecords(from);
  }

  *#encoded() {
    for (const state of this.groups.values()) yield* encodeGroup(state, () => this.#nextOffset);
  }
}

interface RecoveredGroups {
  readonly groups: Map<string, GroupState>;
  /** Length of the changes that are not in the snapshot. */
  readonly bytes: number;
}

/** What is needed of a journal to read it. */
export type ReadableJournal = Pick<JournalStore, "location" | "open" | "openSnapshot" | "close">;

/** All groups in a journal, which is only read. The caller closes it. */
export async function recoverGroupStates(journal: ReadableJournal): Promise<ReadonlyMap<string, GroupState>> {
  try {
    const log = await journal.open();
    if (log === undefined) return new Map();
    if (log.damage !== undefined) throw log.damage;
    return (await recover(journal, log)).groups;
  } catch (error) {
    throw inGroups(error);
  }
}

async function recover(store: ReadableJournal, log: PartitionLog): Promise<RecoveredGroups> {
  const { logStart, logEnd } = log.offsets;
  const found = await readSnapshot(store);
  const snapshot = found === "damaged" ? undefined : found;
  const { from = 0, upTo = 0, groups: inSnapshot } = snapshot ?? {};
  if (logStart > from) throw lost(store, found === undefined ? "is missing" : "is damaged");
  if (upTo > logEnd) throw lost(store, "knows more than the log");
  const groups = new Map(inSnapshot);
  const task = new PacedTask();
  let bytes = 0;
  for await (const { value } of readRecords(log, Math.max(logStart, from))) {
    const change = decodeChange(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
    bytes += value.length;
    if (task.isDue) await task.pause();
    apply(groups, change); // some groups include it already; replaying it is harmless, because the later ones follow
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

function lost({ location }: ReadableJournal, what: string): StorageFailedError {
  return new StorageFailedError(
    `${location}/${SNAPSHOT_FILE} ${what}, and what groups committed is not known: restore it from a copy, or remove ${location} and all groups begin anew`,
    { file: `${GROUPS}/${SNAPSHOT_FILE}` },
  );
}

/** Distinguishes an error of the groups' log from that of a topic's partition. */
function inGroups(error: unknown): LogStoreError {
  if (!(error instanceof LogStoreError)) return storageError(error, "the groups' log failed");
  const { code, file } = error;
  if (code === "CLOSED" || file?.startsWith(GROUPS)) return error;
  return error.with({ file: `${GROUPS}/${file ?? "0"}` });
}
