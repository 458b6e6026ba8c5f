/**
 * Where log lines go: to stderr, whatever that is, and never waited for. A pipe that nobody reads,
 * a full disk and a slow one cost lines, which are counted, and nothing else. pino's own
 * destination retries a failed write in a loop when it is flushed, and turns ENOSPC into an
 * unhandled error.
 */
import { fstatSync, write } from "node:fs";

/** Where nobody takes lines, so much waits; lines beyond it are dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Lines that wait are written together up to this length. */
const CHUNK_BYTES = 64 * 1024;
/** When the process ends, it waits for the last lines no longer than this, ms. */
const FLUSH_TIMEOUT_MS = 500;

/** Writes bytes, and calls back with how many of them were taken. */
type Write = (bytes: Buffer, done: (error: Error | null | undefined, writtenBytes: number) => void) => void;

export class StderrSink {
  readonly #write: Write;
  readonly #waiting: string[] = [];
  readonly #flushed: (() => void)[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #droppedLines = 0;

  /** @param writeBytes for tests; by default to the process's stderr */
  constructor(writeBytes: Write = writeStderr()) {
    this.#write = writeBytes;
  }

  /** Lines that could not be written, or would have had to be waited for. */
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

  /** Resolves when everything was written or dropped, or after a short while. */
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
 * Node's own stream writes to a pipe without blocking, and to a file or a terminal with: the latter
 * are written on another thread instead. A pipe would hold that thread for as long as nobody reads
 * it, and the process with it.
 */
function writeStderr(): Write {
  if (isPipe(2)) {
    process.stderr.on("error", () => {}); // each write hears of its own
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
