/**
 * Finds the end of a partition's log without modifying it. Checks every batch after the checkpoint.
 * For an invalid one there are two cases:
 *
 * - neither it nor anything after it was known to be durable: a torn tail, as a crash leaves it.
 * - it was durable according to a checkpoint or a later batch: damage.
 */
import { CorruptPartitionError, HEADER_LENGTH, hasSoundServerHalf, LogStoreError } from "@logstore/codec";
import { ProducerState } from "../../engine/append/producer-state.js";
import { type Gap, isGap } from "../../files/checkpoint-file.js";
import { logFileName } from "../../files/file-names.js";
import { scanSegment } from "../../segment/scan-segment.js";
import type { Segment } from "../../segment/segment.js";
import type { SparseIndex } from "../../segment/sparse-index.js";
import { isDiskTrouble } from "../../storage/disk-trouble.js";
import type { StorageFile } from "../../storage/storage.js";
import { durableDamageAt, unreadableError } from "../read/damage.js";
import type { LogSurvey, SurveyInput, ZeroTail } from "./log-survey.js";
import { lostSegment, type SurveyStart, surveyStart, withoutStart } from "./survey-start.js";
import { isZeros, witnessBehind } from "./witness.js";

export async function surveyLog(input: SurveyInput): Promise<LogSurvey> {
  const { segments } = input;
  // Without a checkpoint, the log begins where its files do.
  const logStart = input.checkpoint?.logStart ?? segments[0]?.baseOffset ?? 0;
  if (segments[0] === undefined || segments[0].baseOffset > logStart) return withoutStart(input, logStart);
  return new Survey(input, logStart, await surveyStart(input)).run();
}

/** The result of reading a segment. */
interface SegmentScan {
  readonly segment: Segment;
  /** Size of the file, in bytes. */
  size: number;
  /** Size of its valid part. */
  soundBytes: number;
  /** Index of the valid part, if any was examined. */
  index: SparseIndex | undefined;
  /** The fault of the next batch, unless there are preallocated zeros. */
  fault: LogStoreError | undefined;
  /** Whether a newer version wrote that batch. */
  isNewer: boolean;
  /** The error that ended the reading of the file; undefined if there was none. */
  readError: unknown;
}

/** One pass over a log's segments. */
class Survey {
  readonly #input: SurveyInput;
  readonly #logStart: number;
  readonly #start: SurveyStart;
  readonly #lost: number | undefined;
  readonly #gaps: readonly Gap[];
  readonly #producers: ProducerState;
  readonly #zeroTails: ZeroTail[] = [];
  /** Offset after the last valid record so far. */
  #nextOffset: number;
  #durableOffset: number;
  #lastAppendTime: number;

  constructor(input: SurveyInput, logStart: number, start: SurveyStart) {
    const { checkpoint } = input;
    this.#input = input;
    this.#logStart = logStart;
    this.#start = start;
    this.#lost = lostSegment(input);
    this.#gaps = checkpoint?.gaps ?? [];
    this.#producers = new ProducerState(start.checkpoint?.producers);
    this.#nextOffset = start.nextOffset;
    // Whatever happened to the files, the log was durable up to this offset.
    this.#durableOffset = Math.max(checkpoint?.recoveryPoint ?? 0, checkpoint?.expectedEnd ?? 0);
    this.#lastAppendTime = start.checkpoint?.lastAppendTime ?? 0;
  }

  async run(): Promise<LogSurvey> {
    const { segments } = this.#input;
    for (const [i, segment] of segments.entries()) {
      if (i < this.#start.first) continue;
      if (isGap(this.#gaps, this.#nextOffset, segment.baseOffset)) this.#nextOffset = segment.baseOffset;
      const scan = await this.#scan(segment, i === this.#start.first ? this.#start.position : 0);
      if (scan.readError !== undefined) return this.#endUnreadable(scan);
      if (scan.fault === undefined && this.#goesOnIn(segments[i + 1])) continue;
      return await this.#endIn(scan, i);
    }
    throw new Error("a log has a last segment");
  }

  #goesOnIn(next: Segment | undefined): boolean {
    if (next === undefined) return false;
    return next.baseOffset === this.#nextOffset || isGap(this.#gaps, this.#nextOffset, next.baseOffset);
  }

  async #scan(segment: Segment, position: number): Promise<SegmentScan> {
    const scan = newScan(segment, position);
    try {
      if (this.#start.error !== undefined) throw this.#start.error;
      scan.size = await segment.size();
      await segment.file();
    } catch (error) {
      return { ...scan, readError: error };
    }
    if (position >= scan.size) return scan;
    const index = await segment.indexFile.upTo(position);
    scan.index = index;
    try {
      await this.#readSoundBatches(scan, index);
    } catch (error) {
      if (!(error instanceof LogStoreError)) return { ...scan, readError: error };
      await this.#noteFault(scan, error);
    }
    return scan;
  }

  async #readSoundBatches(scan: SegmentScan, index: SparseIndex): Promise<void> {
    const { limits } = this.#input.home;
    const range = { position: scan.soundBytes, end: scan.size, nextOffset: this.#nextOffset, limits, verify: true };
    for await (const { batch } of scanSegment(await scan.segment.file(), range)) {
      index.add(batch.baseOffset, scan.soundBytes, batch.appendTime);
      this.#producers.appended(batch);
      this.#producers.written();
      this.#lastAppendTime = Math.max(this.#lastAppendTime, batch.appendTime);
      this.#durableOffset = Math.max(this.#durableOffset, batch.flushedUpTo);
      this.#nextOffset = batch.nextOffset;
      scan.soundBytes += batch.byteLength;
    }
  }

  async #noteFault(scan: SegmentScan, error: LogStoreError): Promise<void> {
    const { segment, size, soundBytes, index } = scan;
    const file = await segment.file();
    if (!(await isZeros(file, soundBytes, size))) scan.fault = error;
    segment.endsAt(soundBytes, index);
    this.#zeroTails.push({ segment, soundBytes });
    scan.isNewer = error.code === "UNSUPPORTED_FORMAT_VERSION" && (await isNewerBatch(file, soundBytes));
  }

  /**
   * The log can be read up to the unreadable part of a file. The end of the log is then known only
   * from the checkpoint and the published bounds, if at all.
   */
  #endUnreadable({ segment, soundBytes, index, readError }: SegmentScan): LogSurvey {
    if (!isDiskTrouble(readError)) throw readError;
    segment.endsAt(soundBytes, index);
    const { partition } = this.#input;
    const file = `${partition}/${segment.name}`;
    const where = { file, offset: this.#nextOffset, byte: soundBytes };
    return {
      ...this.#found(segment),
      expectedEnd: Math.max(this.#nextOffset, this.#durableOffset, this.#lost ?? 0),
      damage: unreadableError(partition, readError as Error, where),
      active: undefined,
    };
  }

  /**
   * Decides from the bytes that follow whether this is the end of the log, clean or torn, or
   * damage.
   */
  async #endIn(scan: SegmentScan, i: number): Promise<LogSurvey> {
    const { segment, fault, isNewer, size, soundBytes, index } = scan;
    const { segments, partition } = this.#input;
    const later = segments.slice(i + 1);
    const [next] = later;
    const givenOffset =
      fault === undefined && next === undefined ? this.#nextOffset : await this.#readBehind(scan, later);
    segment.endsAt(soundBytes, index);
    const [nextOffset, durableOffset, lost] = [this.#nextOffset, this.#durableOffset, this.#lost];
    const damage = damageOf({ fault, isNewer, lost, isProven: nextOffset < durableOffset, next });
    if (damage !== undefined) {
      const [name, byte] = damage.isNext ? [next!.name, 0] : [segment.name, soundBytes];
      return {
        ...this.#found(segment),
        expectedEnd: Math.max(givenOffset, durableOffset, lost ?? 0),
        damage: durableDamageAt(partition, name, byte, nextOffset, damage.cause),
        active: undefined,
      };
    }
    const isBeyondCheckpoint = nextOffset > this.#start.nextOffset || this.#start.checkpoint === undefined;
    const earlier = segments.slice(this.#start.first, i);
    const isTorn = fault !== undefined;
    const whole = { segment, size, soundBytes, isTorn, index, durableOffset, isBeyondCheckpoint };
    return {
      ...this.#found(segment),
      expectedEnd: nextOffset,
      damage: undefined,
      active: { ...whole, earlier, later },
    };
  }

  /**
   * Looks for proof of durability after the valid part of a segment, and in later segments.
   *
   * @returns the offset after the last one that was assigned, according to the batches there
   */
  async #readBehind({ segment, soundBytes, size }: SegmentScan, later: readonly Segment[]): Promise<number> {
    let givenOffset = this.#nextOffset;
    const rest = [{ file: await segment.file(), from: soundBytes, to: size }];
    for (const other of later) rest.push({ file: await other.file(), from: 0, to: await other.size() });
    for (const { file, from, to } of rest) {
      const witness = await witnessBehind(file, from, to, this.#nextOffset);
      this.#durableOffset = Math.max(this.#durableOffset, witness.durable);
      givenOffset = Math.max(givenOffset, witness.given);
    }
    return givenOffset;
  }

  /** The part of the result that is independent of damage. */
  #found(last: Segment) {
    return {
      checkpointSegment: this.#input.checkpoint?.segment,
      logStart: this.#logStart,
      nextOffset: this.#nextOffset,
      durableOffset: this.#durableOffset,
      lastAppendTime: this.#lastAppendTime,
      producers: this.#producers,
      gaps: this.#gaps,
      zeroTails: this.#zeroTails.filter(({ segment }) => segment !== last),
    };
  }
}

function newScan(segment: Segment, soundBytes: number): SegmentScan {
  const nothing = { index: undefined, fault: undefined, isNewer: false, readError: undefined };
  return { segment, size: 0, soundBytes, ...nothing };
}

/** Returns why the log cannot simply end after its valid part; undefined if it can. */
function damageOf(end: {
  readonly fault: LogStoreError | undefined;
  /** A crash can tear batches, but cannot turn them into newer ones. */
  readonly isNewer: boolean;
  readonly lost: number | undefined;
  /** Whether more than the valid part was durable. */
  readonly isProven: boolean;
  readonly next: Segment | undefined;
}): { cause: LogStoreError; isNext: boolean } | undefined {
  const { fault, isNewer, lost, isProven, next } = end;
  if (!isProven && !isNewer && lost === undefined) return undefined;
  if (fault !== undefined) return { cause: fault, isNext: false };
  if (next !== undefined) return { cause: new CorruptPartitionError("the file before it ends early"), isNext: true };
  const reason = lost === undefined ? "the file ends early" : `${logFileName(lost)} is missing`;
  return { cause: new CorruptPartitionError(reason), isNext: false };
}

/**
 * A sector that was torn directly after a batch's magic may look like a newer version; a real newer
 * batch has a valid server half.
 */
async function isNewerBatch(file: StorageFile, position: number): Promise<boolean> {
  const header = new Uint8Array(HEADER_LENGTH);
  return hasSoundServerHalf(header.subarray(0, await file.read(header, position)), 0);
}
