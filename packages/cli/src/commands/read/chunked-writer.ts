/** Joins many small writes into few large ones, without delaying any of them. */
import type { Output } from "../../output/output.js";

const CHUNK_BYTES = 64 * 1024;

export class ChunkedWriter {
  readonly #output: Output;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #flushSoon: NodeJS.Immediate | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Returns a promise only if the caller has to wait for room. */
  write(piece: string | Uint8Array): Promise<void> | undefined {
    // A copy: the piece may be a view of a buffer that is large.
    const bytes = Buffer.from(piece as Uint8Array);
    this.#pieces.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= CHUNK_BYTES) return this.flush();
    // At the end of this turn of the event loop, the collected pieces are written.
    this.#flushSoon ??= setImmediate(() => void this.flush().catch(() => {})); // the next write fails, too
    return undefined;
  }

  async flush(): Promise<void> {
    if (this.#flushSoon !== undefined) clearImmediate(this.#flushSoon);
    this.#flushSoon = undefined;
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    this.#bytes = 0;
    await this.#output.write(Buffer.concat(pieces));
  }
}
