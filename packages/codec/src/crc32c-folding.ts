/**
 * CRC-32C of long inputs, in WebAssembly.
 *
 * A checksum depends only on the remainder of the input, as a polynomial, modulo P, the polynomial
 * of CRC-32C. Adding a multiple of P does not change it. A multiple with few terms, whose exponents
 * are multiples of 128, removes the first 16 bytes of the input and adds them to a few later
 * vectors of 16 bytes: seven loads and XORs instead of sixteen look-ups in tables (Russell, Chorba:
 * A novel CRC32 implementation, 2024, arXiv:2412.16398). Repeated to the end, this leaves an input
 * of less than 1.5 KB with the same checksum, which {@link portableCrc32c} computes.
 */
import { FOLDING_MODULE } from "./crc32c-folding-module.js";
import { view } from "./view.js";

const VECTOR_BYTES = 16;
/** The largest distance, in bytes, to which a vector is added; see crc32c-folding.wat. */
const WINDOW_BYTES = 92 * VECTOR_BYTES;

/** An input is folded in pieces of this size, which stay in a processor's cache. */
const PIECE_BYTES = 128 * 1024;

// Addresses in the memory of the module. The zeros before the data are never written.
const DATA = WINDOW_BYTES;
const REST = DATA + PIECE_BYTES + WINDOW_BYTES;

/** What is used of WebAssembly. The types of Node do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Exports };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  fold(at: number, end: number, to: number): void;
}

/** Computes a checksum in plain JavaScript; see {@link portableCrc32c}. */
type Checksum = (bytes: Uint8Array, start: number, end: number, before: number) => number;

export class Crc32cFolding {
  readonly #memory: Uint8Array;
  readonly #fold: Exports["fold"];
  readonly #checksum: Checksum;

  /**
   * @param checksum computes the checksum of what is left
   * @throws if the run-time has no WebAssembly, or not its vectors, or does not allow it
   */
  constructor(checksum: Checksum) {
    const module = new WebAssembly.Module(Uint8Array.from(atob(FOLDING_MODULE), (byte) => byte.charCodeAt(0)));
    const { memory, fold } = new WebAssembly.Instance(module).exports;
    this.#memory = new Uint8Array(memory.buffer);
    this.#fold = fold;
    this.#checksum = checksum;
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
    const foldedBytes = Math.floor((end - start - WINDOW_BYTES) / VECTOR_BYTES) * VECTOR_BYTES;
    if (foldedBytes <= 0) return this.#checksum(bytes, start, end, before);
    const memory = this.#memory;
    const dataEnd = DATA + foldedBytes;
    memory.set(view(bytes, start, start + foldedBytes), DATA);
    memory.fill(0, dataEnd, dataEnd + WINDOW_BYTES);
    memory.set(view(bytes, start + foldedBytes, end), REST);
    addState(memory, ~before);
    this.#fold(DATA, dataEnd, DATA);
    // Only what was removed is added to the rest, not the rest itself.
    this.#fold(dataEnd, dataEnd + WINDOW_BYTES, REST);
    // The state is in the data already: this is the checksum after which it is 0.
    return this.#checksum(memory, REST, REST + (end - start - foldedBytes), 0xffffffff);
  }
}

/** Adds the state of the checksum so far to the first four bytes of the data. */
function addState(memory: Uint8Array, state: number): void {
  for (let i = 0; i < 4; i++) memory[DATA + i]! ^= state >>> (8 * i);
}
