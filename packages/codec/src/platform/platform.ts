/**
 * Optional features of a run-time that are faster than portable code or cannot be written in it.
 * The `imports` field of package.json selects the implementation.
 */
export interface Platform {
  /** Allocates a buffer that is overwritten before it is read: it need not be zeroed. */
  allocate(length: number): Uint8Array;
  /** Length of a text in UTF-8, in bytes. A lone surrogate counts as U+FFFD. */
  readonly utf8Length: ((text: string) => number) | undefined;
  /**
   * Writes a text of `byteLength` bytes in UTF-8 at `bytes[at]` of a buffer that `allocate` made.
   */
  writeUtf8(bytes: Uint8Array, at: number, text: string, byteLength: number): void;
  readonly gzip: Compressor | undefined;
  readonly zstd: Compressor | undefined;
}

/** Compresses and decompresses the records of batches; see {@link registerCompression}. */
export interface Compressor {
  compress(bytes: Uint8Array): Uint8Array;
  /** Decompresses `bytes`. Throws if the output would exceed `maxBytes`. */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array;
  /** Like `decompress`, but on another thread. */
  decompressLater?(bytes: Uint8Array, maxBytes: number): Promise<Unpacked>;
}

/** Decompressed bytes, and how to free them. */
export interface Unpacked {
  readonly bytes: Uint8Array;
  /**
   * Frees the memory at once; `bytes` and all views of it are empty afterwards. If absent, the
   * garbage collector frees it.
   */
  readonly release?: (() => void) | undefined;
}
