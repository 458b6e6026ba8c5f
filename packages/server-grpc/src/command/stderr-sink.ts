/**
 * Writes log lines to stderr without blocking, whatever kind of file it is. If nobody reads the
 * pipe, or the disk is full or slow, lines are dropped and counted, and there is no other effect.
 * pino's own destination would retry a failed write in a busy loop on flush, and turn ENOSPC into
 * an unhandled error.
 */
import { fstatSync, write } from "node:fs";

/** Largest size of waiting lines; further ones are dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Waiting lines are written together up to this size. */
const CHUNK_BYTES = 64 * 1024;
/** How long the exit of the process waits for the last lines, in ms. */
const FLUSH_TIMEOUT_MS = 500;

/** Writes bytes, and calls back with the number of bytes written. */
type Write = (bytes: Buffer, done: (error: Error | null | undefined, writtenBytes: number) => void) => void;

export class StderrSink {
  readonly #write: Write;
  readonly #waiting: string[] = [];
  readonly #flushed: (() => void)[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #droppedLines = 0;

  /** @param writeBytes for tests; default: writes to the process's stderr */
  constructor(writeBytes: Write = writeStderr()) {
    this.#write = writeBytes;
  }

  /** Number of lines that could not be written, or were dropped because too much was waiting. */
  get droppedLines(): number {
    return this.#droppedLines;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#droppedLines++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#pump();
  }

  /** Resolves when everything has been written or dropped, or after a short time. */
  async flush(): Promise<void> {
    if (!this.#isWriting) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // biome-ignore lint/style/noRestrictedGlobals: a short, constant delay
    const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
    this.#flushed.push(resolve);
    await promise;
    clearTimeout(timer);
  }

  #pump(): void {
    if (this.#isWriting) return;
    const lines = this.#takeChunk();
    if (lines.length === 0) {
      for (const resolve of this.#flushed.splice(0)) resolve();
      return;
    }
    this.#isWriting = true;
    this.#writeAll(Buffer.from(lines.join("")), lines.length);
  }

  #takeChunk(): string[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && bytes < CHUNK_BYTES) bytes += Buffer.byteLength(this.#waiting[count++]!);
    return this.#waiting.splice(0, count);
  }

  #writeAll(bytes: Buffer, lineCount: number): void {
    this.#write(bytes, (error, writtenBytes) => {
      this.#waitingBytes -= error ? bytes.length : writtenBytes;
      if (!error && writtenBytes < bytes.length) return this.#writeAll(bytes.subarray(writtenBytes), lineCount);
      if (error) this.#droppedLines += lineCount;
      this.#isWriting = false;
      this.#pump();
    });
  }
}

/**
 * Node's own stream is non-blocking for a pipe, and blocking for a file or a terminal, which are
 * therefore written on another thread. A pipe that nobody reads would block that thread, and with
 * it the exit of the process.
 */
function writeStderr(): Write {
  if (isPipe(2)) {
    process.stderr.on("error", () => {}); // each write reports its own error
    return (bytes, done) => void process.stderr.write(bytes, (error) => done(error, bytes.length));
  }
  return (bytes, done) => write(2, bytes, done);
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
