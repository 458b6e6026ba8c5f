/** What Node brings: compression, and a native CRC-32C where the optional peer `@node-rs/crc32` is installed. */
import { createRequire } from "node:module";
import zlib from "node:zlib";
import type { Platform } from "./platform.js";

function nativeCrc32c(): Platform["crc32c"] {
  try {
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
  },
  zstd: {
    compress: (bytes) => zlib.zstdCompressSync(bytes),
    decompress: (bytes, maxBytes) => zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes }),
  },
};
