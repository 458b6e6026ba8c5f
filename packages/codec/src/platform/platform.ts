/**
 * What a run-time may do faster or better than portable code. The `imports` field of package.json
 * picks the file.
 */
export interface Platform {
  /** A buffer that will be written before it is read: its bytes need not be zero. */
  allocate(length: number): Uint8Array;
  /** @param before checksum of the bytes before these; 0 where there are none */
  readonly crc32c: ((bytes: Uint8Array, before: number) => number) | undefined;
  readonly gzip: Compressor | undefined;
  readonly zstd: Compressor | undefined;
}

/** Compresses and decompresses the records of batches; see {@link registerCompression}. */
export interface Compressor {
  compress(bytes: Uint8Array): Uint8Array;
  /** Must throw rather than yield more than `maxBytes`. */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array;
  /** The same on another thread. */
  decompressLater?(bytes: Uint8Array, maxBytes: number): Promise<Unpacked>;
}

/** Decompressed bytes, and how to free them. */
export interface Unpacked {
  readonly bytes: Uint8Array;
  /**
   * Frees their memory at once; `bytes` and every view of it are empty then. Default: the garbage
   * collector frees it.
   */
  readonly release?: (() => void) | undefined;
}
