/**
 * What Node brings: compression, and a native CRC-32C where the optional peer `@node-rs/crc32` is
 * installed.
 */
import zlib from "node:zlib";
import type { Platform, Unpacked } from "./platform.js";

type Unpacking = zlib.Gunzip | zlib.ZstdDecompress;

/**
 * Where the stream keeps the buffer that it unpacks into, which it hands out only when there are
 * bytes in it.
 */
interface WithOutBuffer {
  readonly _outBuffer?: Buffer;
}

/**
 * Into one buffer of the stream, a byte longer than is allowed: what is sound is never copied, and
 * what is too long fills it. The buffer is freed as soon as nobody needs it, also where the bytes
 * turn out not to be sound: left to the garbage collector, the buffers of a few large batches would
 * fill the memory before it comes to them.
 */
function later(
  create: (options: { chunkSize: number }) => Unpacking,
  bytes: Uint8Array,
  maxBytes: number,
): Promise<Unpacked> {
  return new Promise((resolve, reject) => {
    const chunkSize = Math.max(maxBytes + 1, zlib.constants.Z_MIN_CHUNK);
    const unpacking = create({ chunkSize });
    let first: Buffer | undefined;
    let length = 0;
    // Small ones are part of a buffer that others are in, too.
    const release = (piece: Buffer | undefined) => {
      if (piece?.buffer.byteLength === chunkSize) (piece.buffer as ArrayBuffer).transfer(0);
    };
    unpacking.on("data", (piece: Buffer) => {
      first ??= piece;
      length += piece.length;
      if (length > maxBytes) unpacking.destroy(new RangeError(`they unpack to more than ${maxBytes} bytes`));
    });
    unpacking.on("error", (error) => {
      release(first ?? (unpacking as WithOutBuffer)._outBuffer);
      reject(error);
    });
    unpacking.on("end", () => {
      const unpacked = first === undefined ? Buffer.alloc(0) : Buffer.from(first.buffer, first.byteOffset, length);
      resolve({ bytes: unpacked, release: () => release(first) });
    });
    unpacking.end(bytes);
  });
}

interface NativeCrc32c {
  crc32c(bytes: Uint8Array, before: number): number;
}

function nativeCrc32c(): Platform["crc32c"] {
  try {
    // Not by an import that a bundler follows: it would take in the binary of the machine that it
    // runs on.
    const { createRequire } = process.getBuiltinModule("node:module");
    const native = createRequire(import.meta.url)("@node-rs/crc32") as NativeCrc32c;
    return (bytes, before) => native.crc32c(bytes, before);
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
    decompressLater: (bytes, maxBytes) => later(zlib.createGunzip, bytes, maxBytes),
  },
  zstd: {
    compress: (bytes) => zlib.zstdCompressSync(bytes),
    decompress: (bytes, maxBytes) => zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes }),
    decompressLater: (bytes, maxBytes) => later(zlib.createZstdDecompress, bytes, maxBytes),
  },
};
