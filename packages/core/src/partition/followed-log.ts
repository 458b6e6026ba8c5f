/**
 * A partition that another process writes to, readable up to the bounds that the writer publishes.
 */
import { setTimeout } from "node:timers/promises";
import { InvalidArgumentError, type LogStoreError } from "@logstore/codec";
import type { Appended, PartitionLog } from "../engine/partition-log.js";
import { STORED_BATCH_LIMITS } from "../engine/read/buffers.js";
import { LogOffsets } from "../engine/read/log-offsets.js";
import { type Checkpoint, readCheckpoint } from "../files/checkpoint-file.js";
import { baseOffsetsOf } from "../files/file-names.js";
import type { Bounds } from "../files/watermarks-file.js";
import type { LogStoreHooks } from "../hooks/hooks.js";
import type { IndexCache } from "../segment/index-cache.js";
import { Segment, type SegmentHome } from "../segment/segment.js";
import { SegmentList } from "../segment/segment-list.js";
import { isDiskTrouble } from "../storage/disk-trouble.js";
import { eachInParallel } from "../storage/in-parallel.js";
import type { Storage } from "../storage/storage.js";
import { unreadableError } from "./read/damage.js";
import { ReadableLog, type ReadableParts } from "./read/readable-log.js";
import type { LogSurvey } from "./recovery/log-survey.js";
import { unreadable, withoutCheckpoint } from "./recovery/open-log.js";
import { surveyLog } from "./recovery/survey-log.js";
import { type VerifyEvent, verifyLog } from "./upkeep/verify-log.js";

const ATTEMPTS = 4;

export interface FollowedPartition {
  readonly storage: Storage;
  readonly directory: string;
  readonly partition: number;
  readonly indexes: IndexCache;
  readonly hooks: LogStoreHooks;
  /** Reads the writer's current bounds and passes them to all partitions. */
  look(): Promise<void>;
  /** Why that failed the last time: then it is unknown whether there is more to read. */
  lookError(): LogStoreError | undefined;
  /** Keeps the process alive until the returned function is called. */
  keepAlive(): () => void;
}

export class FollowedLog extends ReadableLog implements PartitionLog {
  readonly home: SegmentHome;
  readonly #look: () => Promise<void>;
  readonly #lookError: () => LogStoreError | undefined;
  readonly #keepAlive: () => () => void;
  /** The bounds that the writer last published. */
  #bounds: Bounds | undefined;
  #isClosed = false;

  private constructor(
    home: SegmentHome,
    parts: ReadableParts,
    bounds: Bounds | undefined,
    { look, lookError, keepAlive }: FollowedPartition,
  ) {
    super(parts);
    this.#look = look;
    this.#lookError = lookError;
    this.#keepAlive = keepAlive;
    this.home = home;
    this.#bounds = bounds;
    this.segments.active?.follow();
  }

  /**
   * @param bounds the writer's bounds; undefined if none are published: then only what is known to
   * have been durable may be read, because it is unknown whether the rest was acknowledged
   */
  static async open(where: FollowedPartition, bounds: Bounds | undefined): Promise<FollowedLog> {
    const { storage, directory, partition, indexes } = where;
    const home: SegmentHome = { storage, directory, access: "read", limits: STORED_BATCH_LIMITS, indexes };
    const { segments, survey } = await surveyLive(home, partition, bounds);
    // The writer may have published records that a power failure then removed from the log.
    const end = Math.min(survey.nextOffset, bounds?.highWatermark ?? survey.durableOffset);
    const start = Math.min(Math.max(survey.logStart, bounds?.logStart ?? 0), end);
    const { gaps, damage, active } = survey;
    const torn = active?.later ?? [];
    await closeAll(torn);
    const offsets = new LogOffsets(start, end);
    const parts = {
      partition,
      segments: new SegmentList(segments.filter((segment) => !torn.includes(segment))),
      offsets,
      gaps,
      damage,
      expectedEnd: survey.expectedEnd,
      tail: undefined,
      hooks: where.hooks,
    };
    return new FollowedLog(home, parts, bounds, where);
  }

  /** That it takes no appends is no failure. */
  readonly failure = undefined;

  async appendBatches(): Promise<Appended> {
    throw this.#readOnly();
  }

  async deleteRecords(): Promise<void> {
    throw this.#readOnly();
  }

  /** The writer applies it. */
  async applyRetention(): Promise<void> {}

  #readOnly(): InvalidArgumentError {
    return new InvalidArgumentError(`partition ${this.partition} is open read-only: its writer can change it`, {
      partition: this.partition,
    });
  }

  /** Reads everything, and reports deviations. */
  verify(): AsyncGenerator<VerifyEvent, void> {
    return verifyLog(this, Math.max(this.expectedEnd, this.offsets.highWatermark));
  }

  override refresh(): Promise<void> {
    return this.#look();
  }

  override get isClosed(): boolean {
    return this.#isClosed;
  }

  override get isOver(): boolean {
    return this.isClosed || this.#lookError() !== undefined;
  }

  override checkEnd(): void {
    super.checkEnd();
    const error = this.#lookError();
    if (error !== undefined) throw error;
  }

  /** Updates the writer's bounds. */
  async update(bounds: Bounds): Promise<void> {
    const known = this.#bounds;
    if (this.#isClosed || this.damage !== undefined) return;
    if (known?.highWatermark === bounds.highWatermark && known.logStart === bounds.logStart) return;
    if (bounds.highWatermark > this.offsets.highWatermark) {
      await this.#findNewSegments();
      this.offsets.wrote(bounds.highWatermark);
      this.offsets.publish();
    }
    if (bounds.logStart > this.offsets.logStart) {
      this.offsets.startAt(Math.min(bounds.logStart, this.offsets.highWatermark));
      for (const segment of this.segments.takeBefore(bounds.logStart)) void segment.close().catch(() => {});
    }
    this.#bounds = bounds;
  }

  /** Waiting for another process keeps this one alive. */
  override async waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    const release = this.#keepAlive();
    try {
      return await super.waitBeyond(offset, signal, timeoutMs);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.offsets.wakeAll();
    await eachInParallel([...this.segments], (segment) => segment.close());
  }

  async #findNewSegments(): Promise<void> {
    const last = this.segments.active?.baseOffset ?? -1;
    for (const baseOffset of await baseOffsetsIn(this.home)) {
      if (baseOffset <= last) continue;
      this.segments.active?.finish();
      this.segments.add(new Segment(this.home, baseOffset));
      this.segments.active?.follow();
    }
  }
}

/**
 * The writer may create or delete a segment while the files are being examined: apparent damage is
 * only reported if it persists a little later.
 */
async function surveyLive(
  home: SegmentHome,
  partition: number,
  said: Bounds | undefined,
): Promise<{ segments: Segment[]; survey: LogSurvey }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { segments, survey } = await surveyOnce(home, partition, said);
      if (survey.damage === undefined || attempt === ATTEMPTS) return { segments, survey };
      await closeAll(segments);
    } catch (error) {
      // A disk that cannot be read fails this partition, not the store.
      if (isDiskTrouble(error)) {
        return { segments: [], survey: unreadable(unreadableError(partition, error as Error), said) };
      }
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || attempt === ATTEMPTS) throw error;
    }
    await setTimeout(attempt * 20);
  }
}

async function surveyOnce(
  home: SegmentHome,
  partition: number,
  said: Bounds | undefined,
): Promise<{ segments: Segment[]; survey: LogSurvey }> {
  // Read before the files are listed: a checkpoint that refers to a segment created after the
  // listing would look like damage.
  const found = await findCheckpoint(home);
  const segments = (await baseOffsetsIn(home)).map((baseOffset) => new Segment(home, baseOffset));
  try {
    const read = await surveyLog({ home, partition, segments, checkpoint: found.checkpoint });
    const survey = found.error === undefined ? read : withoutCheckpoint(read, partition, found.error, said);
    return { segments, survey };
  } catch (error) {
    await closeAll(segments);
    throw error;
  }
}

/** Nothing is lost if a file that was only read cannot be closed. */
async function closeAll(segments: readonly Segment[]): Promise<void> {
  await Promise.allSettled(segments.map((segment) => segment.close()));
}

async function findCheckpoint({
  storage,
  directory,
}: SegmentHome): Promise<{ checkpoint?: Checkpoint; error?: Error }> {
  try {
    const checkpoint = await readCheckpoint(storage, directory);
    return checkpoint === undefined ? {} : { checkpoint };
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    return { error: error as Error };
  }
}

async function baseOffsetsIn({ storage, directory }: SegmentHome): Promise<number[]> {
  return baseOffsetsOf((await storage.list(directory)) ?? []);
}
