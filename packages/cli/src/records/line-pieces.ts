/** Splits a stream of bytes into pieces of whole lines. */
import { isUtf8 } from "node:buffer";
import { startTimer } from "@logstore/codec";
import { BadRecord } from "./imported-record.js";

const NEWLINE = 0x0a;
/** Small chunks, such as those of a pipe, are joined up to this size. */
const PIECE_BYTES = 256 * 1024;
/** An input that delivers nothing for this long, in ms, has paused. */
const PAUSE_MS = 50;
const PAUSE = Symbol("pause");

/** Whole lines. */
export interface LinePiece {
  /** Valid UTF-8. */
  readonly bytes: Buffer;
  /** 1 for the first line of the input. */
  readonly firstLine: number;
}

/**
 * Yields the input in pieces of whole lines. Memory is bounded by a piece and the longest line.
 *
 * @throws BadRecord for a line that is too long, or not UTF-8
 */
export async function* linePieces(
  input: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<LinePiece, void> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let firstLine = 1;
  const piece = (bytes: Buffer): LinePiece => {
    checkUtf8(bytes, firstLine);
    const lines = { bytes, firstLine };
    firstLine += countLines(bytes);
    return lines;
  };
  for await (const chunk of chunksAndPauses(input)) {
    if (chunk !== PAUSE) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
    }
    if (waitingBytes < PIECE_BYTES && chunk !== PAUSE) continue;
    const bytes = joined(waiting);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      if (waitingBytes > maxLineBytes) throw tooLong(firstLine, maxLineBytes);
      waiting = [bytes];
      continue;
    }
    yield piece(bytes.subarray(0, end));
    waiting = end === bytes.length ? [] : [bytes.subarray(end)];
    waitingBytes = bytes.length - end;
  }
  if (waitingBytes > 0) yield piece(joined(waiting));
}

/**
 * Also yields `PAUSE` when the input has paused, so that the available lines do not wait for more.
 */
async function* chunksAndPauses(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | typeof PAUSE, void> {
  const chunks = input[Symbol.asyncIterator]();
  try {
    for (let next = chunks.next(); ; next = chunks.next()) {
      const pause = startPause();
      const first = await Promise.race([next, pause.over]);
      pause.cancel();
      if (first === PAUSE) yield PAUSE;
      const { done, value } = await next;
      if (done) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}

function startPause(): { readonly over: Promise<typeof PAUSE>; cancel(): void } {
  const { promise: over, resolve } = Promise.withResolvers<typeof PAUSE>();
  const timer = startTimer(PAUSE_MS, () => resolve(PAUSE));
  return { over, cancel: () => timer.cancel() };
}

function joined(chunks: readonly Uint8Array[]): Buffer {
  if (chunks.length !== 1) return Buffer.concat(chunks);
  const { buffer, byteOffset, length } = chunks[0]!;
  return Buffer.from(buffer, byteOffset, length);
}

/** Bytes that are not UTF-8 would be replaced silently. */
function checkUtf8(bytes: Buffer, firstLine: number): void {
  if (isUtf8(bytes)) return;
  let line = firstLine;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (!isUtf8(bytes.subarray(start, end))) break;
    start = end;
  }
  throw new BadRecord(line, 'this is not UTF-8: write such bytes in base64, as "valueBase64"');
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

function tooLong(line: number, maxLineBytes: number): BadRecord {
  return new BadRecord(
    line,
    `the line is longer than ${maxLineBytes} bytes: is this NDJSON, with a line for each record?`,
  );
}
