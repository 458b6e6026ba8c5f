/** Reads a partition once; waits for records if there are not enough. */
import { ClosedError, InvalidArgumentError } from "@logstore/codec";
import type { FetchOptions, FetchRequest, FetchResult, OffsetGap, ReadBudget } from "@logstore/protocol";
import type { LogReader, PartitionLog } from "../engine/partition-log.js";
import { bufferFor, releaseOnce } from "../engine/read/buffers.js";
import { gapPassed } from "../engine/read/checked-read.js";
import { NO_ROOM, type OwnedChunk, readInBudget, tryReadInBudget } from "../engine/read/read-in-budget.js";
import { boundsOf } from "./bounds.js";
import { DEFAULT_MAX_BYTES } from "./consume.js";

export async function fetch(log: PartitionLog, request: FetchRequest, options: FetchOptions): Promise<FetchResult> {
  const { from = "earliest", maxBytes = DEFAULT_MAX_BYTES, minBytes = 1, maxWaitMs = 0 } = request;
  checkWhole("maxBytes", maxBytes, 1);
  checkWhole("minBytes", minBytes, 0);
  checkWhole("maxWaitMs", maxWaitMs, 0);
  const deadline = performance.now() + maxWaitMs;
  const enough = Math.min(minBytes, maxBytes);
  const start = await log.resolve(from);
  const reader = log.reader(typeof from === "number" ? start : Math.max(start, log.offsets.logStart));
  const read = await readEnough(log, reader, { maxBytes, enough, deadline }, options);
  const joined = join(read.chunks, options);
  const nextOffset = joined.nextOffset ?? read.nextOffset;
  const gaps = read.gaps.filter((gap) => gap.nextOffset <= nextOffset);
  return { ...joined.batches, nextOffset, ...boundsOf(log), ...(gaps.length > 0 && { gaps }) };
}

interface Enough {
  readonly maxBytes: number;
  /** The read waits until this many bytes are available. */
  readonly enough: number;
  /** When the read stops waiting, by the clock of `performance.now()`. */
  readonly deadline: number;
}

interface Read {
  readonly chunks: readonly OwnedChunk[];
  readonly gaps: readonly OffsetGap[];
  readonly nextOffset: number;
}

async function readEnough(
  log: PartitionLog,
  reader: LogReader,
  { maxBytes, enough, deadline }: Enough,
  { signal, headroomBytes, budget }: FetchOptions,
): Promise<Read> {
  const chunks: OwnedChunk[] = [];
  const gaps: OffsetGap[] = [];
  let bytes = 0;
  let nextOffset = reader.offset;
  while (bytes < maxBytes) {
    let chunk: OwnedChunk | undefined;
    try {
      // Only the first read waits for memory: fetches that wait for one another's memory while they
      // hold some would never complete.
      const readNext = bytes === 0 ? readInBudget : tryReadInBudget;
      const read = await readNext(reader, { maxBytes: maxBytes - bytes, headroomBytes }, budget);
      if (read === NO_ROOM) break;
      chunk = read;
      const gap = gapPassed(log, nextOffset, chunk, reader.offset);
      if (gap !== undefined) gaps.push(gap);
    } catch (error) {
      chunk?.release();
      if (bytes === 0) throw error;
      break; // returns the batches read so far; the next call gets the error
    }
    if (chunk !== undefined) {
      // A batch is never split: one that does not fit is left to the next call.
      if (bytes > 0 && bytes + chunk.bytes.length > maxBytes) {
        chunk.release();
        break;
      }
      chunks.push(chunk);
      bytes += chunk.bytes.length;
    } else if (log.isClosed) {
      if (bytes === 0) throw new ClosedError("the log was closed");
      break;
    }
    nextOffset = reader.offset;
    if (nextOffset < log.offsets.highWatermark) continue;
    if (bytes >= enough || signal?.aborted) break;
    if (!(await log.waitBeyond(nextOffset, signal, deadline - performance.now()))) break;
  }
  return { chunks, gaps, nextOffset };
}

interface Joined {
  readonly batches: Pick<FetchResult, "batches" | "headroomBytes" | "release">;
  /** Offset after the batches; undefined if they are all that was read. */
  readonly nextOffset?: number;
}

/** Joins the chunks in one buffer; if there is no memory for it, returns only the first chunk. */
function join(chunks: readonly OwnedChunk[], { headroomBytes = 0, budget }: FetchOptions): Joined {
  const [first, ...rest] = chunks;
  if (first === undefined) return { batches: { batches: new Uint8Array(), headroomBytes: 0 } };
  const alone = { batches: first.bytes, headroomBytes: first.headroomBytes, release: first.release };
  if (rest.length === 0) return { batches: alone };
  const byteLength = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (!hasRoom(budget, byteLength)) {
    for (const { release } of rest) release();
    return { batches: alone, nextOffset: first.nextOffset };
  }
  const batches = bufferFor(byteLength, headroomBytes);
  let at = 0;
  for (const { bytes, release } of chunks) {
    batches.set(bytes, at);
    at += bytes.length;
    release();
  }
  const release = releaseOnce(batches, () => budget?.giveBack(byteLength));
  return { batches: { batches, headroomBytes, release } };
}

function hasRoom(budget: ReadBudget | undefined, bytes: number): boolean {
  return budget === undefined || budget.tryTake(bytes, bytes) > 0;
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new InvalidArgumentError(`${name} is a whole number, at least ${least}, not ${value}`);
}
