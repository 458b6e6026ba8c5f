import { UsageError } from "../../errors/cli-error.js";

/** No server accepts a record of this size, in bytes. */
const MAX_LINE_BYTES = 1024 ** 3;
const LINE_FEED = 0x0a;

/** Splits a stream of bytes at line feeds, which the last line need not have. */
export class LineSplitter {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** The lines that this chunk completes. @throws UsageError for one without an end */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield this.#take(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#parts.push(chunk.subarray(start));
    this.#bytes += chunk.length - start;
    if (this.#bytes > MAX_LINE_BYTES) throw new UsageError("a line is longer than 1 GiB: is this text?");
  }

  /** Returns the bytes after the last line feed, if there are any. */
  end(): Uint8Array | undefined {
    return this.#bytes === 0 ? undefined : this.#take(new Uint8Array());
  }

  #take(last: Uint8Array): Uint8Array {
    if (this.#bytes === 0) return last;
    const line = Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }
}
