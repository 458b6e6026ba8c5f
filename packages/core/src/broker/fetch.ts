/** One read of a partition that may wait for what it reads. */
import { ClosedError, InvalidArgumentError } from "@logstore/codec";
import type { FetchOptions, FetchRequest, FetchResult, OffsetGap } from "@logstore/protocol";
import type { Chunk } from "../partition/batch-reader.js";
import { readInBudget } from "../partition/read-in-budget.js";
import type { ReadableLog } from "../partition/readable-log.js";
import { boundsOf } from "./bounds.js";
import { gapPassed } from "./checked-read.js";
import { DEFAULT_MAX_BYTES } from "./consume.js";

export async function fetch(
  log: ReadableLog,
  request: FetchRequest,
  { signal, headroomBytes = 0, budget }: FetchOptions,
): Promise<FetchResult> {
  const { from = "earliest", maxBytes = DEFAULT_MAX_BYTES, minBytes = 1, maxWaitMs = 0 } = request;
  checkWhole("maxBytes", maxBytes, 1);
  checkWhole("minBytes", minBytes, 0);
  checkWhole("maxWaitMs", maxWaitMs, 0);
  const deadline = performance.now() + maxWaitMs;
  const enough = Math.min(minBytes, maxBytes);
  const start = await log.resolve(from);
  const reader = log.reader(typeof from === "number" ? start : Math.max(start, log.offsets.logStart));
  const chunks: Chunk[] = [];
  let bytes = 0;
  const gaps: OffsetGap[] = [];
  let nextOffset = reader.offset;
  while (bytes < maxBytes) {
    let chunk: Chunk | undefined;
    try {
      const options = { maxBytes: maxBytes - bytes, headroomBytes };
      chunk = await (budget === undefined ? reader.next(options) : readInBudget(reader, options, budget));
    } catch (error) {
      if (bytes === 0) throw error;
      break; // what was read before the fault is answered first; the next call comes upon it again
    }
    if (chunk !== undefined) {
      // A batch is never cut: one that does not fit any more is for the next call.
      if (bytes > 0 && bytes + chunk.bytes.length > maxBytes) {
        budget?.giveBack(chunk.bytes.length);
        break;
      }
      chunks.push(chunk);
      bytes += chunk.bytes.length;
    }
    const gap = gapPassed(log, nextOffset, chunk, reader.offset);
    if (gap !== undefined) gaps.push(gap);
    if (chunk === undefined && log.isClosed) throw new ClosedError("the log was closed");
    nextOffset = reader.offset;
    if (nextOffset < log.offsets.highWatermark) continue;
    if (bytes >= enough || signal?.aborted) break;
    if (!(await log.waitBeyond(nextOffset, signal, deadline - performance.now()))) break;
  }
  return { ...joined(chunks, bytes, headroomBytes), nextOffset, ...boundsOf(log), ...(gaps.length > 0 && { gaps }) };
}

function joined(chunks: readonly Chunk[], byteLength: number, headroomBytes: number) {
  const [only, ...rest] = chunks;
  if (only !== undefined && rest.length === 0) return { batches: only.bytes, headroomBytes: only.headroomBytes };
  const batches = new Uint8Array(headroomBytes + byteLength).subarray(headroomBytes);
  let at = 0;
  for (const { bytes } of chunks) {
    batches.set(bytes, at);
    at += bytes.length;
  }
  return { batches, headroomBytes };
}

function checkWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new InvalidArgumentError(`${name} is a whole number, at least ${least}, not ${value}`);
}
