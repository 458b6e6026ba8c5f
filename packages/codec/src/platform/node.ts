/** The platform features of Node. */
import zlib from "node:zlib";
import type { Platform, Unpacked } from "./platform.js";

type Unpacking = zlib.Gunzip | zlib.ZstdDecompress;

/**
 * The output buffer of a zlib stream, which the stream's public API exposes only once it contains
 * output.
 */
interface WithOutBuffer {
  readonly _outBuffer?: Buffer;
}

/**
 * Decompresses on another thread into a single buffer of `maxBytes + 1` bytes: valid output is
 * never copied, and output that is too long is detected because it fills the buffer. The buffer is
 * freed explicitly as soon as it is no longer needed, also on an error: if that were left to the
 * garbage collector, the buffers of a few large batches could exhaust the memory before it runs.
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
    // Small buffers are slices of Node's shared pool, which must not be freed.
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

export const platform: Platform = {
  allocate: (length) => Buffer.allocUnsafeSlow(length),
  utf8Length: (text) => Buffer.byteLength(text),
  writeUtf8: (bytes, at, text, byteLength) => void (bytes as Buffer).write(text, at, byteLength),
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
