/**
 * Finds the end of a partition's log without touching it. From the checkpoint on, every batch is checked. Where one is not sound:
 *
 * - it was never known to be durable, and it is in the last segment: a torn tail, which a crash leaves.
 * - it was durable once (a checkpoint or a later batch says so): damage.
 */
import { CorruptPartitionError, LogStoreError, type StorageFailedError } from "@logstore/codec";
import type { Checkpoint, Gap } from "../files/checkpoint-file.js";
import { logFileName } from "../files/file-names.js";
import { scanSegment } from "../segment/scan-segment.js";
import type { Segment, SegmentHome } from "../segment/segment.js";
import type { SparseIndex } from "../segment/sparse-index.js";
import { durableOffsetBehind, isZeros } from "./durable-offset.js";
import { ProducerState } from "./producer-state.js";

export interface LogSurvey {
  readonly logStart: number;
  /** One past the last sound record. */
  readonly nextOffset: number;
  /** The log went on to here at least: beyond `nextOffset` where it is damaged. */
  readonly expectedEnd: number;
  readonly lastAppendTime: number;
  readonly producers: ProducerState;
  readonly gaps: readonly Gap[];
  readonly damage: CorruptPartitionError | StorageFailedError | undefined;
  /** The last segment and how far it is sound; undefined where there is none, or the log is damaged before it. */
  readonly active: SurveyedSegment | undefined;
}

export interface SurveyedSegment {
  readonly segment: Segment;
  /** Bytes in the file. */
  readonly size: number;
  /** How many of them are sound. */
  readonly soundBytes: number;
  /** Whether what lies behind is a torn tail, or zeros that were written ahead. */
  readonly isTorn: boolean;
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
  // Without a checkpoint, the log begins where its files do.
  const logStart = input.checkpoint?.logStart ?? segments[0]?.baseOffset ?? 0;
  if (segments[0] === undefined || segments[0].baseOffset > logStart) return withoutStart(input, logStart);
  const start = await scanStart(input);
  const producers = new ProducerState(start.checkpoint?.producers);
  const gaps = input.checkpoint?.gaps ?? [];
  let lastAppendTime = start.checkpoint?.lastAppendTime ?? 0;
  let { nextOffset } = start;
  // Whatever became of the files: the log was durable so far.
  let durableOffset = input.checkpoint?.recoveryPoint ?? 0;
  const lost = lostSegment(input);
  let active: SurveyedSegment | undefined;

  for (const segment of segments.slice(start.first)) {
    const isFirst = segment === segments[start.first];
    const isLast = segment === segments.at(-1);
    const size = await segment.size();
    let position = isFirst ? start.position : 0;
    let index: SparseIndex | undefined;
    const ended = (cause: LogStoreError | undefined): LogSurvey => {
      const damage = cause && describeDamage(partition, segment.name, position, nextOffset, cause);
      const expectedEnd = Math.max(nextOffset, durableOffset, lost ?? 0);
      return { logStart, nextOffset, expectedEnd, lastAppendTime, producers, gaps, damage, active };
    };
    if (isGap(gaps, nextOffset, segment.baseOffset)) nextOffset = segment.baseOffset;
    if (!isFirst && segment.baseOffset !== nextOffset) {
      segment.endsAt(position);
      return ended(new CorruptPartitionError("the file before it ends early"));
    }
    let fault: LogStoreError | undefined;
    if (position < size) {
      index = await segment.indexUpTo(position);
      const range = { position, end: size, nextOffset, limits: home.limits, verify: true };
      try {
        for await (const { batch } of scanSegment(await segment.file(), range)) {
          index.add(batch.baseOffset, position, batch.appendTime);
          producers.appended(batch);
          producers.written();
          lastAppendTime = Math.max(lastAppendTime, batch.appendTime);
          durableOffset = Math.max(durableOffset, batch.flushedUpTo);
          nextOffset = batch.nextOffset;
          position += batch.byteLength;
        }
      } catch (error) {
        if (!(error instanceof LogStoreError)) throw error;
        const file = await segment.file();
        if (!isLast || !(await isZeros(file, position, size))) {
          fault = error;
          durableOffset = Math.max(durableOffset, await durableOffsetBehind(file, position, size, nextOffset));
        }
      }
    }
    if (fault === undefined && !isLast) continue;
    segment.endsAt(position, index);
    // A crash tears batches, but does not make newer ones of them.
    const mayBeTorn = isLast && nextOffset >= durableOffset && fault?.code !== "UNSUPPORTED_FORMAT_VERSION";
    if (fault !== undefined && !mayBeTorn) return ended(fault);
    if (lost !== undefined) return ended(fault ?? new CorruptPartitionError(`${logFileName(lost)} is missing`));
    if (nextOffset < durableOffset) return ended(new CorruptPartitionError("the file ends early"));
    const isBeyondCheckpoint = nextOffset > start.nextOffset || start.checkpoint === undefined;
    const isTorn = fault !== undefined;
    active = { segment, size, soundBytes: position, isTorn, index, durableOffset, isBeyondCheckpoint };
  }
  return {
    logStart,
    nextOffset,
    expectedEnd: nextOffset,
    lastAppendTime,
    producers,
    gaps,
    damage: undefined,
    active,
  };
}

/** Whether it is known that nothing is left from `offset` on, up to where the next segment begins. */
export function isGap(gaps: readonly Gap[], offset: number, nextBaseOffset: number): boolean {
  return gaps.some(([from, to]) => from <= offset && offset < to && to === nextBaseOffset);
}

/** The file that a log begins with is not there: right for a new partition, damage for any other. */
function withoutStart({ partition, segments, checkpoint }: SurveyInput, logStart: number): LogSurvey {
  const known = segments[0]?.name ?? (checkpoint && logFileName(checkpoint.segment));
  const cause = new CorruptPartitionError("the files that it begins with are missing");
  const damage = known === undefined ? undefined : describeDamage(partition, known, 0, logStart, cause);
  const producers = new ProducerState();
  const expectedEnd = Math.max(logStart, checkpoint?.recoveryPoint ?? 0);
  return {
    logStart,
    nextOffset: logStart,
    expectedEnd,
    lastAppendTime: 0,
    producers,
    gaps: [],
    damage,
    active: undefined,
  };
}

/** The checkpoint named its segment when that was durably there, and the last segment is never removed. */
function lostSegment({ segments, checkpoint }: SurveyInput): number | undefined {
  const isThere = segments.some(({ baseOffset }) => baseOffset === checkpoint?.segment);
  return isThere ? undefined : checkpoint?.segment;
}

/** Where the checks begin: at the checkpoint, or at the log's start where it does not fit the files that are there. */
async function scanStart({ segments, checkpoint }: SurveyInput): Promise<{
  first: number;
  position: number;
  nextOffset: number;
  checkpoint: Checkpoint | undefined;
}> {
  const first = segments.findIndex((segment) => segment.baseOffset === checkpoint?.segment);
  const segment = segments[first];
  if (segment === undefined || checkpoint === undefined || (await segment.size()) < checkpoint.position) {
    return { first: 0, position: 0, nextOffset: segments[0]!.baseOffset, checkpoint: undefined };
  }
  return { first, position: checkpoint.position, nextOffset: checkpoint.recoveryPoint, checkpoint };
}

function describeDamage(
  partition: number,
  segmentName: string,
  position: number,
  offset: number,
  cause: LogStoreError,
): CorruptPartitionError {
  const file = `${partition}/${segmentName}`;
  return new CorruptPartitionError(
    `partition ${partition} is damaged at offset ${offset} (${file}, byte ${position}), which was durable: ${cause.message}. ` +
      "Nothing was cut; records before it can be read, appends are refused. Restore the file from a copy",
    { partition, offset, file, byte: position },
    { cause },
  );
}
