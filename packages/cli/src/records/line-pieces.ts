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
 * Yields the input in pieces of whole lines. Memory is bounded by a piece and the longest line:
 * each chunk is searched and joined once, however long the line is.
 *
 * @throws BadRecord for a line that is too long, or not UTF-8
 */
export async function* linePieces(
  input: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<LinePiece, void> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  /** Those of the waiting bytes that are whole lines. */
  let wholeBytes = 0;
  let firstLine = 1;
  const piece = (bytes: Buffer): LinePiece => {
    checkUtf8(bytes, firstLine);
    const lines = { bytes, firstLine };
    firstLine += countLines(bytes);
    return lines;
  };
  for await (const chunk of chunksAndPauses(input)) {
    if (chunk !== PAUSE) {
      const bytes = asBuffer(chunk);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      const lineBytes = waitingBytes + (end === 0 ? bytes.length : bytes.indexOf(NEWLINE));
      if (wholeBytes === 0 && lineBytes > maxLineBytes) throw tooLong(firstLine, maxLineBytes);
      if (end > 0) wholeBytes = waitingBytes + end;
      waiting.push(bytes);
      waitingBytes += bytes.length;
    }
    if (wholeBytes === 0 || (waitingBytes < PIECE_BYTES && chunk !== PAUSE)) continue;
    const bytes = joined(waiting);
    yield piece(bytes.subarray(0, wholeBytes));
    waiting = wholeBytes === bytes.length ? [] : [bytes.subarray(wholeBytes)];
    waitingBytes -= wholeBytes;
    wholeBytes = 0;
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
  return chunks.length === 1 ? asBuffer(chunks[0]!) : Buffer.concat(chunks);
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
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
