/**
 * The batches to damage: the golden batches, valid and corrupt, and some that the builder makes.
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { RecordBatchBuilder, registerCompression } from "../../src/index.js";
import { hexNames, readHexFile } from "../hex-file.js";
import { seal } from "./seal.js";

/** A registered compression that records the limits that the codec passes. */
export const OWN_COMPRESSION = 90;
export const ownCompression = { mostAllowed: 0 };

registerCompression(OWN_COMPRESSION, "fuzz", {
  compress: (bytes) => bytes.subarray(0, Math.max(3, bytes.length - 1)),
  decompress(bytes, maxBytes) {
    ownCompression.mostAllowed = Math.max(ownCompression.mostAllowed, maxBytes);
    const yielded = new Uint8Array(Math.min(bytes.length + 1, maxBytes));
    yielded.set(bytes.subarray(0, yielded.length));
    return yielded;
  },
});

export function corpus(): Uint8Array[] {
  const sound = [...hexNames(".").map(readHexFile), ...built()];
  // Decompression takes longer than everything else.
  const plain = sound.filter((bytes) => bytes[70] === 0);
  const corrupt = hexNames("corrupt").map((name) => readHexFile(`corrupt/${name}`));
  return [...sound, ...plain, ...plain, ...plain, ...corrupt, ...bombs()].filter(({ length }) => length < 4096);
}

function built(): Uint8Array[] {
  return ["none", "none", "none", "none", "gzip", "zstd", "fuzz"].map((compression, i) => {
    const builder = new RecordBatchBuilder({ compression });
    for (let n = 0; n < 3 + 5 * i; n++) {
      const headers = n % 3 === i % 3 ? [{ name: "name", value: "v".repeat(n) }] : [];
      builder.append(n % 2 ? null : `key ${n}`, "a value ".repeat(1 + (n % 9)), 1000 + 70 * n, headers);
    }
    return builder.seal(i % 2 ? { producerId: 5, producerEpoch: 1, baseSequence: 2 ** 32 - 3 } : undefined);
  });
}

/** Some hundred bytes that decompress to a hundred thousand, whatever they declare. */
function bombs(): Uint8Array[] {
  const zeros = new Uint8Array(100_000);
  return [gzipSync(zeros), zstdCompressSync(zeros)].flatMap((packed, i) =>
    [1000, zeros.length].map((recordsLength) => {
      const bytes = new Uint8Array(72 + packed.length);
      bytes.set(packed, 72);
      return seal(bytes, { recordCount: 3, recordsLength, compression: 1 + i });
    }),
  );
}
