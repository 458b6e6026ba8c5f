/**
 * Reads a file of the Go LogStore: yields each intact record, and each damaged range.
 * docs/format/bilog.md has the rules.
 */
import { bilogChecksum } from "./bilog-checksum.js";
import { checksumAt, findHeader, HEADER_BYTES, lengthAt } from "./bilog-header.js";
import type { FileWindow } from "./file-window.js";

/**
 * `torn`: the file ends before the record does. `length`: the length is one that no record can
 * have. `checksum`: the payload does not match its checksum. `unread`: the search for the next
 * record would have taken too long.
 */
export type BilogDamageReason = "torn" | "length" | "checksum" | "unread";

/** A range of bytes that is not imported. */
export interface BilogDamage {
  readonly byte: number;
  /** Number of bytes up to the next intact record, or the end of the file. */
  readonly length: number;
  readonly reason: BilogDamageReason;
}

export interface BilogRecord {
  /** Length of the whole record. */
  readonly length: number;
  /** A view that stays valid. */
  readonly payload: Uint8Array;
}

/** The damage at a position, and where the record would end if its length were right. */
interface Fault {
  readonly reason: BilogDamageReason;
  readonly end: number | undefined;
}

/**
 * Limits the work of a search, in multiples of the file size or in MiB: enough for any real file,
 * and it guarantees that the search ends.
 */
const SEARCH_FACTOR = 16;
const MIB = 1024 * 1024;

export class BilogReader {
  readonly #window: FileWindow;
  readonly #maxRecordBytes: number;
  #searchBytesLeft: number;

  constructor(window: FileWindow, maxRecordBytes: number) {
    this.#window = window;
    this.#maxRecordBytes = maxRecordBytes;
    this.#searchBytesLeft = SEARCH_FACTOR * Math.max(window.size, MIB);
  }

  /** @param signal aborts: the read throws its reason */
  async *read(signal?: AbortSignal): AsyncGenerator<BilogRecord | BilogDamage, void> {
    let byte = 0;
    while (byte < this.#window.size) {
      signal?.throwIfAborted();
      const found = await this.#inspect(byte);
      if ("payload" in found) {
        yield found;
        byte += found.length;
      } else {
        const next = await this.#nextAfter(byte, found.end, signal);
        const reason = next === undefined ? "unread" : found.reason;
        const length = (next ?? this.#window.size) - byte;
        yield { byte, length, reason };
        byte += length;
      }
    }
  }

  /**
   * No length is trusted, and no memory allocated for it, before it has been compared with the
   * limit and the file size.
   */
  async #inspect(byte: number): Promise<BilogRecord | Fault> {
    const header = await this.#window.from(byte, HEADER_BYTES);
    if (header.length < HEADER_BYTES) return { reason: "torn", end: undefined };
    const length = lengthAt(header, 0);
    if (length < HEADER_BYTES) return { reason: "length", end: undefined };
    const end = byte + length <= this.#window.size ? byte + length : undefined;
    if (length > this.#maxRecordBytes) return { reason: "length", end };
    if (end === undefined) return { reason: "torn", end };
    const bytes = await this.#window.from(byte, length);
    if (bytes.length < length) return { reason: "torn", end: undefined }; // the file was truncated in the meantime
    const payload = bytes.subarray(HEADER_BYTES, length);
    if (bilogChecksum(payload) !== checksumAt(bytes, 0)) return { reason: "checksum", end };
    return { length, payload };
  }

  /**
   * Returns the position of the record after a damaged one; the end of the file if there is none;
   * undefined if the search was abandoned.
   */
  async #nextAfter(byte: number, end: number | undefined, signal?: AbortSignal): Promise<number | undefined> {
    const { size } = this.#window;
    if (end === size || (end !== undefined && (await this.#isAnchor(end)))) return end;
    let at = byte + 1;
    for (;;) {
      signal?.throwIfAborted();
      const bytes = await this.#window.from(at, HEADER_BYTES);
      if (bytes.length < HEADER_BYTES) return size;
      const i = findHeader(bytes, Math.min(this.#maxRecordBytes, size - at));
      if (i < 0) {
        at += bytes.length - HEADER_BYTES + 1; // the last of these bytes may be the start of a header
        continue;
      }
      at += i;
      this.#searchBytesLeft -= lengthAt(bytes, i);
      if (this.#searchBytesLeft < 0) return undefined;
      if (await this.#isAnchor(at)) return at;
      at++;
    }
  }

  /** Whether there is an intact record at a position that no previous record leads to. */
  async #isAnchor(byte: number): Promise<boolean> {
    const found = await this.#inspect(byte);
    return "payload" in found && found.payload.length > 0;
  }
}
