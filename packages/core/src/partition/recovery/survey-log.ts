/**
 * Finds the end of a partition's log without touching it. From the checkpoint on, every batch is
 * checked. Where one is not sound:
 *
 * - it was never known to be durable, and nor was anything behind it: a torn tail, which a crash
 *   leaves.
 * - it was durable once (a checkpoint or a later batch says so): damage.
 */
import {
  CorruptPartitionError,
  HEADER_LENGTH,
  hasSoundServerHalf,
  LogStoreError,
  type StorageFailedError,
} from "@logstore/codec";
import { type Checkpoint, type Gap, isGap } from "../../files/checkpoint-file.js";
import { logFileName } from "../../files/file-names.js";
import { scanSegment } from "../../segment/scan-segment.js";
import type { Segment, SegmentHome } from "../../segment/segment.js";
import type { SparseIndex } from "../../segment/sparse-index.js";
import { isDiskTrouble } from "../../storage/disk-trouble.js";
import type { StorageFile } from "../../storage/storage.js";
import { ProducerState } from "../append/producer-state.js";
import { durableDamageAt, unreadableError } from "../read/damage.js";
import { isZeros, witnessBehind } from "./witness.js";

export interface LogSurvey {
  /**
   * Base offset of the segment that the checkpoint names: neither it nor what follows is removed
   * before a new one is written.
   */
  readonly checkpointSegment: number | undefined;
  readonly logStart: number;
  /** One past the last sound record. */
  readonly nextOffset: number;
  /** Every offset below this one is known to have been durable once. */
  readonly durableOffset: number;
  /** The log went on to here at least: beyond `nextOffset` where it is damaged. */
  readonly expectedEnd: number;
  readonly lastAppendTime: number;
  readonly producers: ProducerState;
  readonly gaps: readonly Gap[];
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** The segment in which the log ends; undefined where there is none, or the log is damaged. */
  readonly active: SurveyedSegment | undefined;
  /**
   * Segments before it with zeros behind their batches: a crash came before the cutting of them was
   * durable.
   */
  readonly zeroTails: readonly ZeroTail[];
}

export interface ZeroTail {
  readonly segment: Segment;
  readonly soundBytes: number;
}

export interface SurveyedSegment {
  readonly segment: Segment;
  /** Bytes in the file. */
  readonly size: number;
  /** How many of them are sound. */
  readonly soundBytes: number;
  /** Whether what lies behind is a torn tail, or zeros that were written ahead. */
  readonly isTorn: boolean;
  /**
   * Finished segments that were looked at: nothing says yet that they are durable to their ends.
   */
  readonly earlier: readonly Segment[];
  /** Segments behind it: torn off with its tail. */
  readonly later: readonly Segment[];
  /** Of the sound bytes, where they were looked at. */
  readonly index: SparseIndex | undefined;
  /** Every offset below this one was durable before the crash, if there was one. */
  readonly durableOffset: number;
  /** Whether there was anything behind the checkpoint. */
  readonly isBeyondCheckpoint: boolean;
}

export interface SurveyInput {
  readonly home: SegmentHome;
  readonly partition: number;
  /** By offset. */
  readonly segments: readonly Segment[];
  readonly checkpoint: Checkpoint | undefined;
}

export async function surveyLog(input: SurveyInput): Promise<LogSurvey> {
  const { home, partition, segments } = input;
  const { limits } = home;
  // Without a checkpoint, the log begins where its files do.
  const logStart = input.checkpoint?.logStart ?? segments[0]?.baseOffset ?? 0;
  if (segments[0] === undefined || segments[0].baseOffset > logStart) return withoutStart(input, logStart);
  const start = await scanStart(input);
  const checkpointSegment = input.checkpoint?.segment;
  const producers = new ProducerState(start.checkpoint?.producers);
  const gaps = input.checkpoint?.gaps ?? [];
  let lastAppendTime = start.checkpoint?.lastAppendTime ?? 0;
  let { nextOffset } = start;
  // Whatever became of the files: the log was durable so far.
  let durableOffset = Math.max(input.checkpoint?.recoveryPoint ?? 0, input.checkpoint?.expectedEnd ?? 0);
  const lost = lostSegment(input);
  const zeroTails: ZeroTail[] = [];

  for (const [i, segment] of segments.entries()) {
    if (i < start.first) continue;
    let position = i === start.first ? start.position : 0;
    let index: SparseIndex | undefined;
    let fault: LogStoreError | undefined;
    let isNewer = false;
    if (isGap(gaps, nextOffset, segment.baseOffset)) nextOffset = segment.baseOffset;
    /** What lies before it can be read; what was behind it is known from elsewhere, if at all. */
    const unreadable = (error: unknown): LogSurvey => {
      if (!isDiskTrouble(error)) throw error;
      segment.endsAt(position, index);
      const file = `${partition}/${segment.name}`;
      const damage = unreadableError(partition, error as Error, { file, offset: nextOffset, byte: position });
      const expectedEnd = Math.max(nextOffset, durableOffset, lost ?? 0);
      const read = {
        checkpointSegment,
        logStart,
        nextOffset,
        durableOffset,
        lastAppendTime,
        producers,
        gaps,
        zeroTails,
      };
      return { ...read, expectedEnd, damage, active: undefined };
    };
    let size: number;
    let file: StorageFile;
    if (start.error !== undefined) return unreadable(start.error);
    try {
      size = await segment.size();
      file = await segment.file();
    } catch (error) {
      return unreadable(error);
    }
    if (position < size) {
      index = await segment.indexUpTo(position);
      try {
        for await (const { batch } of scanSegment(file, { position, end: size, nextOffset, limits, verify: true })) {
          index.add(batch.baseOffset, position, batch.appendTime);
          producers.appended(batch);
          producers.written();
          lastAppendTime = Math.max(lastAppendTime, batch.appendTime);
          durableOffset = Math.max(durableOffset, batch.flushedUpTo);
          nextOffset = batch.nextOffset;
          position += batch.byteLength;
        }
      } catch (error) {
        if (!(error instanceof LogStoreError)) return unreadable(error);
        if (!(await isZeros(file, position, size))) fault = error;
        segment.endsAt(position, index);
        zeroTails.push({ segment, soundBytes: position });
        isNewer = error.code === "UNSUPPORTED_FORMAT_VERSION" && (await isNewerBatch(file, position));
      }
    }
    const next = segments[i + 1];
    const follows = next?.baseOffset === nextOffset || (next && isGap(gaps, nextOffset, next.baseOffset));
    if (fault === undefined && follows) continue;

    // The log's end, torn or not, or damage: what lies behind tells.
    const later = segments.slice(i + 1);
    let givenOffset = nextOffset;
    if (fault !== undefined || next !== undefined) {
      const rest = [{ file, from: position, to: size }];
      for (const other of later) rest.push({ file: await other.file(), from: 0, to: await other.size() });
      for (const { file, from, to } of rest) {
        const witness = await witnessBehind(file, from, to, nextOffset);
        durableOffset = Math.max(durableOffset, witness.durable);
        givenOffset = Math.max(givenOffset, witness.given);
      }
    }
    segment.endsAt(position, index);
    const damage = damageOf({ fault, isNewer, lost, isProven: nextOffset < durableOffset, next });
    const tails = zeroTails.filter((tail) => tail.segment !== segment);
    const read = {
      checkpointSegment,
      logStart,
      nextOffset,
      durableOffset,
      lastAppendTime,
      producers,
      gaps,
      zeroTails: tails,
    };
    if (damage !== undefined) {
      const { cause, isNext } = damage;
      const [name, byte] = isNext ? [next!.name, 0] : [segment.name, position];
      const expectedEnd = Math.max(givenOffset, durableOffset, lost ?? 0);
      return {
        ...read,
        expectedEnd,
        damage: durableDamageAt(partition, name, byte, nextOffset, cause),
        active: undefined,
      };
    }
    const isBeyondCheckpoint = nextOffset > start.nextOffset || start.checkpoint === undefined;
    const isTorn = fault !== undefined;
    const earlier = segments.slice(start.first, i);
    const active = {
      segment,
      size,
      soundBytes: position,
      isTorn,
      earlier,
      later,
      index,
      durableOffset,
      isBeyondCheckpoint,
    };
    return { ...read, expectedEnd: nextOffset, damage: undefined, active };
  }
  throw new Error("a log has a last segment");
}

/** Why the log cannot simply end where its sound batches do, if so. */
function damageOf(end: {
  readonly fault: LogStoreError | undefined;
  /** A crash tears batches, but does not make newer ones of them. */
  readonly isNewer: boolean;
  readonly lost: number | undefined;
  /** Whether more than what is sound was durable once. */
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
 * A sector that was torn right behind a batch's magic may look like a newer version of it; a newer
 * batch has a sound server half.
 */
async function isNewerBatch(file: StorageFile, position: number): Promise<boolean> {
  const header = new Uint8Array(HEADER_LENGTH);
  return hasSoundServerHalf(header.subarray(0, await file.read(header, position)), 0);
}

/**
 * The file that a log begins with is not there: right for a new partition, damage for any other.
 */
function withoutStart({ partition, segments, checkpoint }: SurveyInput, logStart: number): LogSurvey {
  const known = segments[0]?.name ?? (checkpoint && logFileName(checkpoint.segment));
  const reason = "the files that it begins with are missing";
  const damage =
    known === undefined
      ? undefined // a new partition: ten thousand errors to throw away would take long to make
      : durableDamageAt(partition, known, 0, logStart, new CorruptPartitionError(reason));
  const producers = new ProducerState();
  const expectedEnd = Math.max(logStart, checkpoint?.recoveryPoint ?? 0, checkpoint?.expectedEnd ?? 0);
  const checkpointSegment = checkpoint?.segment;
  const nothing = { checkpointSegment, lastAppendTime: 0, gaps: [], active: undefined, zeroTails: [] };
  return { ...nothing, logStart, nextOffset: logStart, durableOffset: logStart, expectedEnd, producers, damage };
}

/**
 * The checkpoint named its segment when that was durably there, and the last segment is never
 * removed.
 */
function lostSegment({ segments, checkpoint }: SurveyInput): number | undefined {
  const isThere = segments.some(({ baseOffset }) => baseOffset === checkpoint?.segment);
  return isThere ? undefined : checkpoint?.segment;
}

/**
 * Where the checks begin: at the checkpoint, or at the log's start where it does not fit the files
 * that are there.
 */
async function scanStart({ segments, checkpoint }: SurveyInput): Promise<{
  first: number;
  position: number;
  nextOffset: number;
  checkpoint: Checkpoint | undefined;
  /** Why that segment cannot be read. */
  error?: unknown;
}> {
  const fromStart = { first: 0, position: 0, nextOffset: segments[0]!.baseOffset, checkpoint: undefined };
  const first = segments.findIndex((segment) => segment.baseOffset === checkpoint?.segment);
  const segment = segments[first];
  if (segment === undefined || checkpoint === undefined) return fromStart;
  try {
    if ((await segment.size()) < checkpoint.position) return fromStart;
  } catch (error) {
    return { first, position: 0, nextOffset: segment.baseOffset, checkpoint, error }; // what lies before it is sound
  }
  return { first, position: checkpoint.position, nextOffset: checkpoint.recoveryPoint, checkpoint };
}
