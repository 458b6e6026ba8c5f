/** Deletes records of an open partition: on request, by retention, and after a crash. */
import type { LogStoreError, StorageFailedError } from "@logstore/codec";
import { isDiskFull, isDiskTrouble } from "../../storage/disk-trouble.js";
import { withStorageErrors } from "../../storage/storage-error.js";
import type { GroupCommit } from "../append/group-commit.js";
import {
  type Deletion,
  deleteBefore,
  deleteWithoutRoom,
  expiredOffset,
  removeSegments,
  rollIfExpired,
} from "./delete-records.js";
import type { RetentionLimits } from "./retention-policy.js";

export class PartitionUpkeep {
  readonly #deletion: Deletion;
  readonly #groupCommit: GroupCommit;
  /** The limits may be altered at any time. */
  readonly #limits: RetentionLimits;

  constructor(deletion: Deletion, groupCommit: GroupCommit, limits: RetentionLimits) {
    this.#deletion = deletion;
    this.#groupCommit = groupCommit;
    this.#limits = limits;
  }

  /**
   * Deletes all records before `offset`. See {@link deleteBefore}, and {@link deleteWithoutRoom}
   * for a partition that accepts no appends.
   *
   * @param reason why the partition accepts no appends; undefined if it does
   */
  async deleteRecords(offset: number, reason: LogStoreError | undefined): Promise<void> {
    if (reason === undefined) await this.#groupCommit.alone(() => deleteBefore(this.#deletion, offset));
    else if (this.#deletion.log.isClosed) throw reason;
    else await this.#groupCommit.aloneAfterFailure(() => deleteWithoutRoom(this.#deletion, offset, reason));
  }

  /** Deletes what exceeds the retention limits. */
  async applyRetention(): Promise<void> {
    const { log } = this.#deletion;
    const { failure } = this.#groupCommit;
    const { retentionMs, retentionBytes } = this.#limits;
    if ((retentionMs === undefined && retentionBytes === undefined) || log.segments.active === undefined) return;
    if (failure === undefined) await this.#groupCommit.alone(() => rollIfExpired(this.#deletion, this.#limits));
    const { partition } = log;
    const work = () => expiredOffset(this.#deletion, this.#limits);
    const expired = await withStorageErrors(`partition ${partition} cannot be read`, work, { partition });
    if (log.isClosed) return; // it may have been closed in the meantime
    if (failure === undefined) await this.#groupCommit.alone(() => deleteBefore(this.#deletion, expired));
    else await this.#groupCommit.aloneAfterFailure(() => this.#deleteExpired(expired, failure));
  }

  /** For a partition that accepts no appends: deletes as much as possible. */
  async #deleteExpired(offset: number, failure: StorageFailedError): Promise<void> {
    await deleteWithoutRoom(this.#deletion, offset, failure).catch((error: unknown) => {
      if (error !== failure) throw error; // there is no whole segment to delete
    });
  }

  /**
   * Removes the files that remain if a crash occurs after the log start was advanced and before the
   * files below it were removed.
   *
   * @param startFiles names of the start files in the directory
   */
  async removeLeftovers(startFiles: readonly string[]): Promise<void> {
    const { home, log, writer } = this.#deletion;
    const { storage, directory } = home;
    const { logStart } = log.offsets;
    try {
      if (this.#groupCommit.failure === undefined) await writer.checkpoint(logStart); // the last one may refer to a segment that is being removed
    } catch (cause) {
      if (!isDiskFull(cause) && !isDiskTrouble(cause)) throw cause;
      this.#groupCommit.fail(cause);
    }
    const { failure } = this.#groupCommit;
    const upTo = failure === undefined ? logStart : Math.min(logStart, writer.checkpointSegment ?? 0);
    await removeSegments(home, log.segments.takeBefore(upTo));
    if (failure !== undefined) return;
    for (const name of startFiles) await storage.remove(`${directory}/${name}`).catch(() => {}); // the checkpoint contains the log start now
  }
}
