/** A read whose memory is taken from a shared budget, and returned to it when freed. */
import type { ReadBudget } from "@logstore/protocol";
import { BatchTooLongToRead, type Chunk, type LogReader, type ReadOptions } from "../partition-log.js";
import { releaseOnce } from "./buffers.js";

/** A chunk whose memory can be freed before the garbage collector runs. */
export interface OwnedChunk extends Chunk {
  /**
   * Frees the buffer of `bytes`, and returns its bytes to the budget. A repeated call has no
   * effect.
   */
  release(): void;
}

/** The result of a read that must not wait and found no room in the budget. */
export const NO_ROOM = Symbol("no room");

/**
 * Returns the next batches, like {@link LogReader.next}. Waits for room in the budget: the reader
 * must not hold any of it.
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

/**
 * Like {@link readInBudget}, for a reader that holds a chunk and therefore must not wait: returns
 * {@link NO_ROOM} instead.
 */
export async function tryReadInBudget(
  reader: LogReader,
  options: ReadOptions,
  budget: ReadBudget | undefined,
): Promise<OwnedChunk | undefined | typeof NO_ROOM> {
  if (budget === undefined) return owned(await reader.next(options));
  return readTaking(reader, options, budget, (wanted, least) => budget.tryTake(wanted, least));
}

/** Like {@link readInBudget}, if that is possible at once; otherwise returns "later". */
export function readNow(
  reader: LogReader,
  options: ReadOptions,
  budget: ReadBudget | undefined,
): OwnedChunk | undefined | "later" {
  if (reader.nextNow === undefined) return "later";
  const takenBytes = budget === undefined ? options.maxBytes : budget.tryTake(options.maxBytes, 0);
  if (takenBytes === 0) return "later";
  let heldBytes = 0;
  try {
    const chunk = reader.nextNow({ ...options, maxBytes: takenBytes });
    if (chunk === undefined || chunk === "later") return chunk;
    heldBytes = bufferBytes(chunk, options);
    return owned(chunk, () => budget?.giveBack(heldBytes));
  } finally {
    budget?.giveBack(takenBytes - heldBytes);
  }
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
    // Nothing is held now: the whole length is requested again.
    wantedBytes = read.byteLength;
    leastBytes = read.byteLength;
  }
}

/**
 * Reads as much as fits into the bytes taken. Unused bytes are returned, also if the read fails.
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
    heldBytes = bufferBytes(chunk, options);
    return owned(chunk, () => budget.giveBack(heldBytes));
  } catch (error) {
    if (error instanceof BatchTooLongToRead) return error;
    throw error;
  } finally {
    budget.giveBack(takenBytes - heldBytes);
  }
}

/** The whole buffer, including space for a last batch that did not fit. */
function bufferBytes({ bytes }: Chunk, { headroomBytes = 0 }: ReadOptions): number {
  return bytes.buffer.byteLength - headroomBytes;
}

function owned(chunk: Chunk, giveBack?: () => void): OwnedChunk;
function owned(chunk: Chunk | undefined): OwnedChunk | undefined;
function owned(chunk: Chunk | undefined, giveBack?: () => void): OwnedChunk | undefined {
  if (chunk === undefined) return undefined;
  return { ...chunk, release: releaseOnce(chunk.bytes, giveBack) };
}
