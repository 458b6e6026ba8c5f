/**
 * Walks over a file of the Go LogStore: every sound record, and where there is none.
 * docs/format/bilog.md says how it decides.
 */
import { bilogChecksum } from "./bilog-checksum.js";
import { checksumAt, findHeader, HEADER_BYTES, lengthAt } from "./bilog-header.js";
import type { FileWindow } from "./file-window.js";

/**
 * `torn`: fewer bytes are there than the record says. `length`: it says what no record can have.
 * `checksum`: its payload is not the one that was written. `unread`: it would have taken too long
 * to find the next record.
 */
export type BilogDamageReason = "torn" | "length" | "checksum" | "unread";

/** Bytes of the file that are not imported. */
export interface BilogDamage {
  readonly byte: number;
  /** Bytes from there to the next sound record, or to the end of the file. */
  readonly length: number;
  readonly reason: BilogDamageReason;
}

export interface BilogRecord {
  /** Length of the whole record. */
  readonly length: number;
  /** A view that stays as it is. */
  readonly payload: Uint8Array;
}

/** What is wrong at a place, and where its record would end if its length were right. */
interface Fault {
  readonly reason: BilogDamageReason;
  readonly end: number | undefined;
}

/**
 * The search may check so many times the file's bytes, or so many MiB: enough for any real file,
 * and it ends.
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

  /** @param signal ends the reading by throwing its reason */
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
   * No length is believed, and nothing of it allocated, before it was compared with the cap and
   * with the file.
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
    if (bytes.length < length) return { reason: "torn", end: undefined }; // somebody has just cut the file
    const payload = bytes.subarray(HEADER_BYTES, length);
    if (bilogChecksum(payload) !== checksumAt(bytes, 0)) return { reason: "checksum", end };
    return { length, payload };
  }

  /**
   * Where the record after a damaged one begins; the file's end where there is none; undefined
   * where that was not found out.
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
        at += bytes.length - HEADER_BYTES + 1; // the last of these bytes may begin a header
        continue;
      }
      at += i;
      this.#searchBytesLeft -= lengthAt(bytes, i);
      if (this.#searchBytesLeft < 0) return undefined;
      if (await this.#isAnchor(at)) return at;
      at++;
    }
  }

  /** Whether there is a record at a place that nothing but its own checksum vouches for. */
  async #isAnchor(byte: number): Promise<boolean> {
    const found = await this.#inspect(byte);
    return "payload" in found && found.payload.length > 0;
  }
}
