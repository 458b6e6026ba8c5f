/**
 * CRC-32C in WebAssembly.
 *
 * A checksum depends only on the remainder of the input, as a polynomial, modulo P, the polynomial
 * of CRC-32C. Adding a multiple of P does not change it. A multiple with few terms, whose exponents
 * are multiples of 8, removes the first 16 bytes of the input and adds them to the bytes at a few
 * distances behind them: loads and XORs instead of sixteen look-ups in tables (Russell, Chorba: A
 * novel CRC32 implementation, 2024, arXiv:2412.16398). Repeated to the end, this leaves an input as
 * short as the largest of the distances, its window, with the same checksum.
 *
 * The fewer terms a multiple has, the larger is its window. A long input is first reduced with a
 * multiple of four terms, and what it leaves with one of eight, which leaves less than 1.5 KB for
 * look-ups in tables.
 */
import { FOLDING_MODULE } from "./crc32c-folding-module.js";
import { CRC32C_TABLES } from "./crc32c-tables.js";
import { view } from "./view.js";

const VECTOR_BYTES = 16;

// The windows of the module's functions, in bytes; see crc32c-folding.wat.
const NEAR_BYTES = 1_472;
const FAR_BYTES = 5_424;

/** Below this length the multiple with the large window takes longer. */
const FAR_FROM_BYTES = 24 * 1024;

/** An input is folded in pieces of this size, which stay in a processor's cache. */
const PIECE_BYTES = 128 * 1024;

// Addresses in the memory of the module, which begins with the tables. A window comes before the
// data, and before the zeros.
const DATA = CRC32C_TABLES.byteLength + FAR_BYTES;
/** Zeros that are never written. */
const ZEROS = DATA + PIECE_BYTES + FAR_BYTES;

/** What is used of WebAssembly. The types of Node do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Exports };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly foldNear: Fold;
  readonly foldFar: Fold;
  /** Returns the state of the checksum after the bytes from `at` to `end`. */
  lookUp(at: number, end: number, state: number): number;
}

/** Adds to the bytes from `to` on those of the window before `at`, until `at` reaches `end`. */
type Fold = (at: number, end: number, to: number) => void;

export class Crc32cFolding {
  readonly #memory: Uint8Array;
  readonly #foldNear: Fold;
  readonly #foldFar: Fold;
  readonly #lookUp: Exports["lookUp"];

  /** @throws if the run-time has no WebAssembly, or not its vectors, or does not allow it */
  constructor() {
    const module = new WebAssembly.Module(Uint8Array.from(atob(FOLDING_MODULE), (byte) => byte.charCodeAt(0)));
    const { memory, foldNear, foldFar, lookUp } = new WebAssembly.Instance(module).exports;
    this.#memory = new Uint8Array(memory.buffer);
    this.#foldNear = foldNear;
    this.#foldFar = foldFar;
    this.#lookUp = lookUp;
    const tables = new DataView(memory.buffer);
    CRC32C_TABLES.forEach((entry, i) => {
      tables.setUint32(4 * i, entry, true);
    });
  }

  /**
   * Computes the CRC-32C of `bytes[start, end)`.
   *
   * @param before checksum of the preceding bytes; 0 if there are none
   */
  crc32c(bytes: Uint8Array, start: number, end: number, before: number): number {
    let crc = before;
    for (let at = start; at < end; at += PIECE_BYTES)
      crc = this.#piece(bytes, at, Math.min(at + PIECE_BYTES, end), crc);
    return crc;
  }

  #piece(bytes: Uint8Array, start: number, end: number, before: number): number {
    const length = end - start;
    const dataEnd = DATA + length;
    this.#memory.set(view(bytes, start, end), DATA);
    if (length < NEAR_BYTES + VECTOR_BYTES) return ~this.#lookUp(DATA, dataEnd, ~before) >>> 0;
    addState(this.#memory, ~before);
    let at = DATA;
    if (length >= FAR_FROM_BYTES) at = this.#reduce(this.#foldFar, FAR_BYTES, at, dataEnd);
    at = this.#reduce(this.#foldNear, NEAR_BYTES, at, dataEnd);
    return ~this.#lookUp(at, dataEnd, 0) >>> 0; // the state is in the data already
  }

  /** Moves the data from `at` on to their last bytes. Returns where these begin. */
  #reduce(fold: Fold, windowBytes: number, at: number, dataEnd: number): number {
    const memory = this.#memory;
    const rest = dataEnd - windowBytes - ((dataEnd - at) % VECTOR_BYTES);
    memory.fill(0, at - windowBytes, at);
    fold(at, rest, at);
    // Only what was removed is added to the rest, not the rest itself.
    memory.copyWithin(ZEROS - windowBytes, rest - windowBytes, rest);
    fold(ZEROS, ZEROS + windowBytes, rest);
    return rest;
  }
}

/** Adds the state of the checksum so far to the first four bytes of the data. */
function addState(memory: Uint8Array, state: number): void {
  for (let i = 0; i < 4; i++) memory[DATA + i]! ^= state >>> (8 * i);
}
