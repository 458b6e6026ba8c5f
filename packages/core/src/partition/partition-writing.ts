/**
 * The parts of a partition's log that modify it. They are made when they are first needed: most
 * partitions of a store with thousands of them are neither written to nor deleted from.
 */
import type { StorageFailedError } from "@logstore/codec";
import { tell } from "../hooks/hooks.js";
import type { SegmentHome } from "../segment/segment.js";
import { AppendQueue, type PendingAppend } from "./append/append-queue.js";
import { Appender } from "./append/appender.js";
import { GroupCommit } from "./append/group-commit.js";
import { LogWriter } from "./append/log-writer.js";
import type { StoreTies, WriterStart } from "./append/store-ties.js";
import type { PartitionOptions } from "./partition-home.js";
import type { ReadableLog } from "./read/readable-log.js";
import { PartitionUpkeep } from "./upkeep/partition-upkeep.js";

/** The log that is modified. */
export interface WritableLog extends ReadableLog {
  /** Throws if the partition accepts no appends. */
  checkWritable(): void;
  applyRetention(): Promise<void>;
}

/** The state from which writing continues, as found when the log was opened. */
export interface WritingStart extends WriterStart {
  /** Why the log accepts no appends from the start, if so. */
  readonly failure: StorageFailedError | undefined;
}

export class PartitionWriting {
  readonly writer: LogWriter;
  readonly groupCommit: GroupCommit;
  readonly appender: Appender;
  readonly upkeep: PartitionUpkeep;
  readonly #log: WritableLog;

  constructor(log: WritableLog, home: SegmentHome, options: PartitionOptions, start: WritingStart, ties: StoreTies) {
    const { partition } = log;
    const { hooks } = options;
    const queue = new AppendQueue(partition, options);
    this.#log = log;
    this.writer = new LogWriter(home, log, options, start, ties);
    this.groupCommit = new GroupCommit(
      partition,
      queue,
      options,
      (group) => this.#commit(group),
      (error) => tell(() => hooks.failed?.({ partition, error })),
      start.failure,
    );
    const deletion = { home, log, writer: this.writer, hooks, publishBounds: ties.publishBounds };
    this.upkeep = new PartitionUpkeep(deletion, this.groupCommit, options);
    this.appender = new Appender(queue, this.groupCommit, options, home.storage, () => log.checkWritable());
  }

  async #commit(group: readonly PendingAppend[]): Promise<void> {
    const { segments } = this.#log;
    const { active } = segments;
    await this.writer.commit(group);
    if (segments.active === active || active === undefined) return;
    // After a roll the limits may be exceeded. The appends have been acknowledged already.
    void this.#log.applyRetention().catch(() => {}); // it is tried again later
  }
}
