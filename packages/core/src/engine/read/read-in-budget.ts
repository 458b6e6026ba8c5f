/** One read whose memory is taken from a budget that readers share, and given back with it. */
import type { ReadBudget } from "@logstore/protocol";
import { BatchTooLongToRead, type Chunk, type LogReader, type ReadOptions } from "../partition-log.js";
import { releaseOnce } from "./buffers.js";

/** A chunk whose memory can be freed before the garbage collector comes to it. */
export interface OwnedChunk extends Chunk {
  /**
   * Frees the buffer of `bytes`, and gives back what it took of the budget. More than once is as
   * good as once.
   */
  release(): void;
}

/** A read that was not to wait found no room in the budget. */
export const NO_ROOM = Symbol("no room");

/**
 * The next batches, as {@link LogReader.next} gives them. Waits for room in the budget: the
 * reader is to hold nothing.
 */
export async function readInBudget(
  reader: LogReader,
  options: ReadOptions,
  budget: ReadBudget | undefined,
): Promise<OwnedChunk | undefined> {
  if (budget === undefined) return owned(await reader.next(options));
  const read = await readTaking(reader, options, budget, (wanted, least) => budget.take(wanted, least));
  return read === NO_ROOM ? undefined : read;
}

/** The same for a reader that holds something, and so never waits. */
export async function tryReadInBudget(
  reader: LogReader,
  options: ReadOptions,
  budget: ReadBudget | undefined,
): Promise<OwnedChunk | undefined | typeof NO_ROOM> {
  if (budget === undefined) return owned(await reader.next(options));
  return readTaking(reader, options, budget, (wanted, least) => budget.tryTake(wanted, least));
}

async function readTaking(
  reader: LogReader,
  options: ReadOptions,
  budget: ReadBudget,
  take: ReadBudget["take"],
): Promise<OwnedChunk | undefined | typeof NO_ROOM> {
  let [wantedBytes, leastBytes] = [options.maxBytes, 0];
  for (;;) {
    const takenBytes = await take(wantedBytes, leastBytes);
    if (takenBytes === 0) return NO_ROOM;
    const read = await readTaken(reader, options, budget, takenBytes);
    if (!(read instanceof BatchTooLongToRead)) return read;
    // Nothing is held now: its whole length is asked for anew.
    wantedBytes = read.byteLength;
    leastBytes = read.byteLength;
  }
}

/**
 * Reads what fits into the bytes that were taken. Those that no chunk holds are given back, also
 * where the read fails.
 */
async function readTaken(
  reader: LogReader,
  options: ReadOptions,
  budget: ReadBudget,
  takenBytes: number,
): Promise<OwnedChunk | undefined | BatchTooLongToRead> {
  let heldBytes = 0;
  try {
    const chunk = await reader.next({ ...options, maxBytes: takenBytes, isStrict: true });
    if (chunk === undefined) return undefined;
    // All of its buffer, also where the last batch was too long to be in it.
    heldBytes = chunk.bytes.buffer.byteLength - (options.headroomBytes ?? 0);
    return owned(chunk, () => budget.giveBack(heldBytes));
  } catch (error) {
    if (error instanceof BatchTooLongToRead) return error;
    throw error;
  } finally {
    budget.giveBack(takenBytes - heldBytes);
  }
}

function owned(chunk: Chunk, giveBack?: () => void): OwnedChunk;
function owned(chunk: Chunk | undefined): OwnedChunk | undefined;
function owned(chunk: Chunk | undefined, giveBack?: () => void): OwnedChunk | undefined {
  if (chunk === undefined) return undefined;
  return { ...chunk, release: releaseOnce(chunk.bytes, giveBack) };
}
