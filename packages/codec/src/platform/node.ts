/** What Node brings: compression, and a native CRC-32C where the optional peer `@node-rs/crc32` is installed. */
import zlib from "node:zlib";
import type { Platform } from "./platform.js";

type Unpack = (
  bytes: Uint8Array,
  options: { maxOutputLength: number; chunkSize: number },
  done: (error: Error | null, bytes: Buffer) => void,
) => void;

/** Into one buffer: the chunks of another size would be copied together on this thread. */
function later(unpack: Unpack, bytes: Uint8Array, maxOutputLength: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    unpack(bytes, { maxOutputLength, chunkSize: maxOutputLength + 1 }, (error, unpacked) =>
      error ? reject(error) : resolve(unpacked),
    );
  });
}

function nativeCrc32c(): Platform["crc32c"] {
  try {
    // Not by an import that a bundler follows: it would take in the binary of the machine that it runs on.
    const { createRequire } = process.getBuiltinModule("node:module");
    const native = createRequire(import.meta.url)("@node-rs/crc32") as { crc32c(bytes: Uint8Array): number };
    return (bytes) => native.crc32c(bytes);
  } catch {
    return undefined; // not installed, or no binary for this machine: the portable one serves
  }
}

export const platform: Platform = {
  allocate: (length) => Buffer.allocUnsafeSlow(length),
  crc32c: nativeCrc32c(),
  gzip: {
    compress: (bytes) => zlib.gzipSync(bytes, { level: 1 }),
    decompress: (bytes, maxBytes) => zlib.gunzipSync(bytes, { maxOutputLength: maxBytes }),
    decompressLater: (bytes, maxBytes) => later(zlib.gunzip, bytes, maxBytes),
  },
  zstd: {
    compress: (bytes) => zlib.zstdCompressSync(bytes),
    decompress: (bytes, maxBytes) => zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes }),
    decompressLater: (bytes, maxBytes) => later(zlib.zstdDecompress, bytes, maxBytes),
  },
};
