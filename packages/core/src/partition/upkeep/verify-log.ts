/** Reads a whole partition and reports deviations. Modifies nothing. */
import { CorruptPartitionError, StorageFailedError } from "@logstore/codec";
import { isGap } from "../../files/checkpoint-file.js";
import { logFileName } from "../../files/file-names.js";
import type { Segment } from "../../segment/segment.js";
import { SparseIndex } from "../../segment/sparse-index.js";
import { damagedAt, readError } from "../read/damage.js";
import type { ReadableLog } from "../read/readable-log.js";
import { type Step, type WalkRange, walkSegment } from "./walk-segment.js";

/** Progress of the check of a partition. */
export interface VerifyProgress {
  readonly type: "progress";
  readonly partition: number;
  readonly records: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Records that cannot be read, or an index file that does not match its log. */
export interface VerifyFinding {
  readonly type: "finding";
  readonly kind: "damage" | "index" | "overlap";
  readonly partition: number;
  /** The segment file, relative to the store's directory. */
  readonly file: string;
  /** Position in the file at which the damage begins. */
  readonly byte: number;
  /** Number of damaged bytes; 0 if they are missing. */
  readonly length: number;
  /** The first lost offset. */
  readonly offset: number;
  /** The first offset that can be read again; undefined if there is none. */
  readonly nextOffset: number | undefined;
  readonly reason: string;
}

/** An event of `verify`. */
export type VerifyEvent = VerifyProgress | VerifyFinding;

/** Minimum number of bytes between two progress events. */
const PROGRESS_BYTES = 1024 * 1024;

/** Offsets below `expectedEnd` that are in no batch count as damage, too. */
export async function* verifyLog(log: ReadableLog, expectedEnd: number): AsyncGenerator<VerifyEvent, void> {
  const isRight = log.beginCheck();
  let isDamaged = false;
  for await (const event of new Verification(log, expectedEnd).findings()) {
    if (event.type === "finding" && event.kind === "damage") {
      isDamaged = true;
      const { file, byte, offset, reason } = event;
      log.noteDamage(damagedAt(log, { name: file.slice(file.indexOf("/") + 1) }, offset, byte, new Error(reason)));
    }
    yield event;
  }
  if (!isDamaged) isRight();
}

/** One pass over a log's segments. */
class Verification {
  readonly #log: ReadableLog;
  readonly #expectedEnd: number;
  /** Damage whose end has not been found yet: at most one. */
  readonly #open: Omit<VerifyFinding, "nextOffset">[] = [];
  #nextOffset: number;
  #isDamaged = false;
  #records = 0;
  /** Size of the segments that have been read. */
  #bytes = 0;
  #totalBytes = 0;
  /** Size at the last progress event. */
  #toldBytes = 0;

  constructor(log: ReadableLog, expectedEnd: number) {
    this.#log = log;
    this.#expectedEnd = expectedEnd;
    this.#nextOffset = log.segments.first?.baseOffset ?? log.offsets.logStart;
  }

  async *findings(): AsyncGenerator<VerifyEvent, void> {
    const log = this.#log;
    const segments = [...log.segments];
    const ends: number[] = [];
    for (const segment of segments) ends.push(await endOf(log, segment));
    this.#totalBytes = ends.reduce((sum, end) => sum + end, 0);
    if (segments[0] !== undefined && segments[0].baseOffset > log.offsets.logStart) {
      this.#nextOffset = log.offsets.logStart;
      this.#lost(segments[0], 0, 0, "the files that the log begins with are missing");
    }
    /** End of the valid batches of the last segment. */
    let soundEnd = 0;
    for (const [i, segment] of segments.entries()) {
      yield* this.#begin(segment, segments[i - 1], ends[i - 1]);
      soundEnd = yield* this.#walk(segment, ends[i]!, segments[i + 1]);
    }
    yield* this.#end(segments.at(-1), ends.at(-1), soundEnd);
  }

  /** Compares the beginning of a segment with the end of the previous one. */
  *#begin(segment: Segment, before: Segment | undefined, beforeEnd: number | undefined): Generator<VerifyEvent, void> {
    const log = this.#log;
    if (isGap(log.gaps, this.#nextOffset, segment.baseOffset)) this.#nextOffset = segment.baseOffset;
    const nextOffset = this.#nextOffset;
    if (before !== undefined && segment.baseOffset > nextOffset)
      this.#lost(before, beforeEnd!, 0, "the file ends early");
    if (before !== undefined && segment.baseOffset < nextOffset) yield overlap(log, segment, before, nextOffset);
    yield* this.#endDamage(segment.baseOffset);
    this.#nextOffset = segment.baseOffset;
  }

  /** Returns the end of the segment's valid batches. */
  async *#walk(segment: Segment, end: number, next: Segment | undefined): AsyncGenerator<VerifyEvent, number> {
    const log = this.#log;
    const index = new SparseIndex();
    const limitOffset = next?.baseOffset ?? Number.POSITIVE_INFINITY;
    const mayEndInZeros = next === undefined;
    const range = { end, baseOffset: segment.baseOffset, limitOffset, limits: log.limits, mayEndInZeros };
    let soundEnd = 0;
    let isSound = true;
    for await (const step of walk(log, segment, range)) {
      if ("damage" in step) {
        isSound = false;
        this.#lost(segment, step.position, step.nextPosition - step.position, step.damage.message);
        continue;
      }
      const { batch, position } = step;
      if (this.#open.length > 0) yield* this.#endDamage(batch.baseOffset);
      index.add(batch.baseOffset, position, batch.appendTime);
      soundEnd = position + batch.byteLength;
      this.#nextOffset = batch.nextOffset;
      this.#records += batch.recordCount;
      const bytes = this.#bytes + soundEnd;
      if (bytes - this.#toldBytes >= PROGRESS_BYTES) yield this.#progress(bytes);
    }
    this.#bytes += end;
    if (wasDeleted(log, segment)) {
      this.#open.length = 0; // none of its records are missing
      this.#nextOffset = next?.baseOffset ?? this.#nextOffset;
    } else if (isSound) yield* this.#checkIndex(segment, end, index);
    return soundEnd;
  }

  async *#checkIndex(segment: Segment, end: number, index: SparseIndex): AsyncGenerator<VerifyEvent, void> {
    // A segment that has grown in the meantime has a longer index; and an index may cover batches
    // that are damaged now.
    const isWhole = end > 0 && segment !== this.#log.segments.active && end === (await sizeOf(this.#log, segment));
    const reason = isWhole ? await segment.indexFile.fault(index) : undefined;
    if (reason === undefined) return;
    const { partition } = this.#log;
    const { name, baseOffset: offset } = segment;
    const where = { partition, file: `${partition}/${name}`, byte: 0, length: 0, offset, nextOffset: offset };
    yield { type: "finding", kind: "index", ...where, reason };
  }

  *#end(last: Segment | undefined, end: number | undefined, soundEnd: number): Generator<VerifyEvent, void> {
    const expectedEnd = this.#expectedEnd;
    if (last !== undefined && this.#nextOffset < expectedEnd) {
      this.#lost(last, soundEnd, end! - soundEnd, "the file ends early");
    }
    const { damage } = this.#log;
    if (damage instanceof StorageFailedError) throw damage; // there may be more data than could be read
    // If files are missing, the remaining ones may be valid.
    if (!this.#isDamaged && damage instanceof CorruptPartitionError) {
      const { message } = damage.cause as Error;
      this.#lost(last ?? { name: logFileName(this.#nextOffset) }, end ?? 0, 0, message);
    }
    yield* this.#endDamage(expectedEnd > this.#nextOffset ? expectedEnd : undefined);
    yield this.#progress(this.#bytes);
  }

  /** Begins damage, or extends the open damage of the same file. */
  #lost(segment: { readonly name: string }, byte: number, length: number, reason: string): void {
    const { partition } = this.#log;
    const file = `${partition}/${segment.name}`;
    this.#isDamaged = true;
    const [before] = this.#open;
    if (before === undefined) {
      const where = { partition, file, byte, length, offset: this.#nextOffset };
      this.#open.push({ type: "finding", kind: "damage", ...where, reason });
    } else if (before.file === file) this.#open[0] = { ...before, length: byte + length - before.byte };
  }

  /** @param nextOffset the first offset that can be read again, if there is one */
  *#endDamage(nextOffset: number | undefined): Generator<VerifyEvent, void> {
    for (const damage of this.#open.splice(0)) yield { ...damage, nextOffset };
  }

  #progress(bytes: number): VerifyProgress {
    this.#toldBytes = bytes;
    const { partition } = this.#log;
    return { type: "progress", partition, records: this.#records, bytes, totalBytes: this.#totalBytes };
  }
}

/** A segment that is deleted while it is read no longer belongs to the log. */
async function* walk(log: ReadableLog, segment: Segment, range: WalkRange): AsyncGenerator<Step, void> {
  try {
    yield* walkSegment(await segment.file(), range);
  } catch (error) {
    if (!wasDeleted(log, segment)) throw log.noteDamage(readError(log, segment, segment.baseOffset, error));
  }
}

function wasDeleted(log: ReadableLog, segment: Segment): boolean {
  return !log.isClosed && log.segments.find(segment.baseOffset) !== segment;
}

async function sizeOf(log: ReadableLog, segment: Segment): Promise<number> {
  return log.segments.find(segment.baseOffset) === segment ? segment.size() : 0;
}

/**
 * The same offsets occur twice: it is unknown which records are right, and a repair leaves them
 * alone.
 */
function overlap(log: ReadableLog, segment: Segment, before: Segment, nextOffset: number): VerifyFinding {
  const { partition } = log;
  return {
    type: "finding",
    kind: "overlap",
    partition,
    file: `${partition}/${segment.name}`,
    byte: 0,
    length: 0,
    offset: segment.baseOffset,
    nextOffset,
    reason: `${before.name} goes on to offset ${nextOffset}: move one of the two files away`,
  };
}

/** Returns the size of the published part; of the whole file if the log is damaged. */
async function endOf(log: ReadableLog, segment: Segment): Promise<number> {
  try {
    return await (log.damage === undefined ? segment.visibleSize() : segment.size());
  } catch (error) {
    if (wasDeleted(log, segment)) return 0;
    throw log.noteDamage(readError(log, segment, segment.baseOffset, error));
  }
}
