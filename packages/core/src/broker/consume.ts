/** Reads a partition as a stream of events: batches, gaps, the end of the log, heartbeats. */
import { ClosedError, InvalidArgumentError, OffsetOutOfRangeError } from "@logstore/codec";
import type { ConsumeEvent, ConsumeOptions, ConsumeRequest, Position } from "@logstore/protocol";
import type { PartitionLog } from "../engine/partition-log.js";
import { gapPassed } from "../engine/read/checked-read.js";
import { ReadAhead } from "../engine/read/read-ahead.js";
import type { OwnedChunk } from "../engine/read/read-in-budget.js";

export const DEFAULT_MAX_BYTES = 256 * 1024;
/** A heartbeat is sent after this time without another event. */
const HEARTBEAT_INTERVAL_MS = 10_000;

/**
 * A single generator opens the log, reads it and places the errors: one more would cost each event
 * some promises.
 *
 * @param open returns the log of the partition
 *
 * @param placed returns an error with its partition
 */
export async function* consume(
  open: () => Promise<PartitionLog>,
  request: ConsumeRequest,
  { signal, headroomBytes, readAhead, budget }: ConsumeOptions,
  placed: (error: unknown) => unknown,
): AsyncGenerator<ConsumeEvent, void> {
  let reader: ReadAhead | undefined;
  try {
    const log = await open();
    const { from = "earliest", until, maxBytes = DEFAULT_MAX_BYTES, seesCaughtUp = false } = request;
    if (!(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
      throw new InvalidArgumentError(`maxBytes is a positive whole number, not ${maxBytes}`);
    }
    const end = await endOffset(log, until);
    const readFrom = (offset: number) =>
      new ReadAhead(log.reader(offset), { maxBytes, headroomBytes, readAhead, budget, until: end });
    const start = await log.resolve(from);
    // A requested offset must exist. For any other position, the log start may have moved while the
    // position was looked up.
    reader = readFrom(typeof from === "number" ? start : Math.max(start, log.offsets.logStart));
    let caughtUp = false;
    while (reader.offset < end && !signal?.aborted) {
      const expected = reader.offset;
      let chunk: OwnedChunk | undefined;
      try {
        const read = reader.next();
        chunk = read instanceof Promise ? await read : read;
      } catch (error) {
        const { logStart } = log.offsets;
        const wasDeleted = error instanceof OffsetOutOfRangeError && reader.offset < logStart;
        if (!wasDeleted) throw error;
        reader = readFrom(logStart);
        caughtUp = false;
        yield { type: "logStartMoved", logStartOffset: logStart, ...endsOf(log) };
        continue;
      }
      const gap = gapPassed(log, expected, chunk, reader.offset);
      if (gap !== undefined) yield { type: "gap", ...gap, ...endsOf(log) };
      if (chunk !== undefined) {
        const { bytes: batches, headroomBytes, release } = chunk;
        const ends = endsOf(log);
        caughtUp = seesCaughtUp && reader.offset === ends.highWatermark;
        yield { type: "batches", batches, headroomBytes, release, ...ends };
        continue;
      }
      if (log.isClosed) throw new ClosedError("the log was closed");
      if (reader.offset >= end) return; // the reader skipped a gap
      if (reader.offset < log.offsets.highWatermark) continue; // records were appended during the read
      if (!caughtUp) {
        caughtUp = true;
        yield { type: "caughtUp", ...endsOf(log) };
        continue; // records may have been appended while the event was delivered
      }
      const moved = await log.waitBeyond(reader.offset, signal, HEARTBEAT_INTERVAL_MS);
      if (!moved) yield { type: "heartbeat", ...endsOf(log) };
    }
  } catch (error) {
    throw placed(error);
  } finally {
    await reader?.close();
  }
}

function endsOf({ offsets, knownEnd }: PartitionLog) {
  return { highWatermark: offsets.highWatermark, logEndOffset: knownEnd };
}

async function endOffset(log: PartitionLog, until: Position | undefined): Promise<number> {
  if (until === undefined) return Number.POSITIVE_INFINITY;
  const end = await log.resolve(until);
  // The end of a damaged log is unknown: the reader must fail at the damage instead of ending
  // before it.
  if (typeof until !== "number" && isDamagedAt(log, end)) return Number.POSITIVE_INFINITY;
  if (Number.isSafeInteger(end) && end >= 0) return end;
  throw new InvalidArgumentError(`a reader cannot end at offset ${end}`);
}

/** Whether `offset` is in the damaged part of the log, the contents of which are unknown. */
function isDamagedAt({ damage, offsets }: PartitionLog, offset: number): boolean {
  return damage !== undefined && offset >= offsets.highWatermark;
}
