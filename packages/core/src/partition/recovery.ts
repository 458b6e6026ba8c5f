/**
 * Finds the end of a partition's log when it is opened. From the checkpoint on, every batch is checked. Where one is not sound:
 *
 * - it was never known to be durable, and it is in the last segment: a torn tail, which a crash leaves. The bytes are saved
 *   aside, then cut.
 * - it was durable once (a checkpoint or a later batch says so): corruption. Nothing is cut; the partition takes no appends, and
 *   serves what lies before the damage.
 */
import { type BatchLimits, CorruptPartitionError, FORMAT_MARK, LogStoreError, readServerHalf } from "@logstore/codec";
import type { Checkpoint } from "../files/checkpoint-file.js";
import { logFileName, tornFileName } from "../files/file-names.js";
import { scanSegment } from "../segment/scan-segment.js";
import type { Segment } from "../segment/segment.js";
import type { Storage, StorageFile } from "../storage/storage.js";
import { ProducerState } from "./producer-state.js";

export interface RecoveredLog {
  readonly nextOffset: number;
  readonly lastAppendTime: number;
  readonly producers: ProducerState;
  /** What was cut from the end, where something was. */
  readonly tornTail: TornTail | undefined;
  readonly damage: CorruptPartitionError | undefined;
  /** Whether there was anything behind the checkpoint. */
  readonly scanned: boolean;
}

export interface TornTail {
  /** Segment file that was cut. */
  readonly file: string;
  /** Where it was cut. */
  readonly byte: number;
  readonly length: number;
  /** File that holds the bytes now. */
  readonly savedAs: string;
}

interface RecoveryInput {
  readonly storage: Storage;
  readonly directory: string;
  readonly partition: number;
  /** By offset. */
  readonly segments: readonly Segment[];
  readonly checkpoint: Checkpoint | undefined;
  readonly limits: BatchLimits;
}

export async function recoverLog(input: RecoveryInput): Promise<RecoveredLog> {
  const { segments, limits } = input;
  if (segments[0]?.baseOffset !== 0) return withoutStart(input);
  const { first, position: startPosition, nextOffset: startOffset, checkpoint } = await scanStart(input);
  const producers = new ProducerState(checkpoint?.producers);
  let lastAppendTime = checkpoint?.lastAppendTime ?? 0;
  let nextOffset = startOffset;
  // Whatever became of the files: the log was durable so far.
  let durableOffset = input.checkpoint?.recoveryPoint ?? 0;
  // The checkpoint named its segment when that was durably there, and the last segment is never removed.
  const lostSegment = segments.some(({ baseOffset }) => baseOffset === input.checkpoint?.segment)
    ? undefined
    : input.checkpoint?.segment;
  let tornTail: TornTail | undefined;

  for (const segment of segments.slice(first)) {
    const isLast = segment === segments.at(-1);
    const [file, size] = [await segment.file(), await segment.size()];
    let position = segment === segments[first] ? startPosition : 0;
    const index = await segment.indexUpTo(position);
    const damaged = (cause: LogStoreError): RecoveredLog => {
      segment.becomeActive(position, index);
      const damage = describeDamage(input.partition, segment.name, position, nextOffset, cause);
      return { nextOffset, lastAppendTime, producers, tornTail: undefined, damage, scanned: true };
    };
    if (position === 0 && segment.baseOffset !== nextOffset)
      return damaged(new CorruptPartitionError("the file before it ends early"));
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
      if (!(error instanceof LogStoreError)) throw error;
      durableOffset = Math.max(durableOffset, await durableOffsetAfter(file, position, size, nextOffset));
      // A crash tears batches, but does not make newer ones of them.
      const isNewer = error.code === "UNSUPPORTED_FORMAT_VERSION";
      if (!isLast || nextOffset < durableOffset || lostSegment !== undefined || isNewer) return damaged(error);
      tornTail = await cutTornTail(input, segment, position, size);
    }
    if (isLast && lostSegment !== undefined) {
      return damaged(new CorruptPartitionError(`${logFileName(lostSegment)} is missing`));
    }
    if (isLast && nextOffset < durableOffset) return damaged(new CorruptPartitionError("the file ends early"));
    if (isLast) {
      // What was read may be in the operating system's hands only: make it what later batches will say it is.
      if (nextOffset > startOffset) await file.sync();
      // So may its name be, and the checkpoint's.
      if (nextOffset > startOffset || size === 0) await input.storage.syncDirectory(input.directory);
      segment.becomeActive(position, index);
    }
  }
  const scanned = nextOffset > startOffset || tornTail !== undefined;
  return { nextOffset, lastAppendTime, producers, tornTail, damage: undefined, scanned };
}

/** The file that a log begins with is not there: right for a new partition, damage for any other. Nothing moves a log's start. */
function withoutStart({ partition, segments, checkpoint }: RecoveryInput): RecoveredLog {
  const known = segments[0]?.name ?? (checkpoint && logFileName(checkpoint.segment));
  const cause = new CorruptPartitionError("the files that it begins with are missing");
  const damage = known === undefined ? undefined : describeDamage(partition, known, 0, 0, cause);
  const producers = new ProducerState();
  return { nextOffset: 0, lastAppendTime: 0, producers, tornTail: undefined, damage, scanned: false };
}

/** Where the checks begin: at the checkpoint, or at the log's start where it does not fit the files that are there. */
async function scanStart({ segments, checkpoint }: RecoveryInput): Promise<{
  first: number;
  position: number;
  nextOffset: number;
  checkpoint: Checkpoint | undefined;
}> {
  const first = segments.findIndex((segment) => segment.baseOffset === checkpoint?.segment);
  const segment = segments[first];
  if (segment === undefined || checkpoint === undefined || (await segment.size()) < checkpoint.position) {
    return { first: 0, position: 0, nextOffset: 0, checkpoint: undefined };
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

/**
 * How far the log was durable, as far as sound headers beyond a damaged place tell: whatever came after proves what was before.
 * A header is vouched for by its checksum, whatever became of the records behind it.
 */
async function durableOffsetAfter(
  file: StorageFile,
  position: number,
  end: number,
  damagedOffset: number,
): Promise<number> {
  const rest = Buffer.allocUnsafe(end - position);
  const bytes = rest.subarray(0, await file.read(rest, position));
  let durable = 0;
  for (let at = 0; at >= 0; ) {
    const header = readServerHalf(bytes, at);
    if (header !== undefined && header.baseOffset > damagedOffset && header.flushedUpTo <= header.baseOffset) {
      durable = Math.max(durable, header.flushedUpTo);
    }
    // What lies within a batch may look like one, where somebody keeps batches as values: it is passed over.
    at = bytes.indexOf(FORMAT_MARK, at + Math.max(1, header?.batchLength ?? 1));
  }
  return durable;
}

/** First the copy, durable; then the cut, durable. */
async function cutTornTail(input: RecoveryInput, segment: Segment, position: number, size: number): Promise<TornTail> {
  const { storage, directory, partition } = input;
  const file = await segment.file();
  const tail = Buffer.allocUnsafe(size - position);
  await file.read(tail, position);
  const savedAs = tornFileName(segment.baseOffset, position, storage.randomHex(4));
  const saved = await storage.createFile(`${directory}/${savedAs}`);
  try {
    await saved.write([tail], 0);
    await saved.sync();
  } finally {
    await saved.close();
  }
  await storage.syncDirectory(directory);
  await file.truncate(position);
  await file.sync();
  return {
    file: `${partition}/${segment.name}`,
    byte: position,
    length: tail.length,
    savedAs: `${partition}/${savedAs}`,
  };
}
