/** Small inputs that expand to large ones. */
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { createZstdCompress, gzipSync, zstdCompressSync } from "node:zlib";
import type { Attack, Target } from "../attack.ts";
import { callHeaders, dataFrames, grpcMessage, headersFrame, hello } from "../frames.ts";
import { rawBatch } from "../raw-batch.ts";
import { encode, Stranger } from "../stranger.ts";
import { endsOf, resetsOf, tally } from "../verdict.ts";

const MIB = 1024 * 1024;
const WAIT_MS = 3_000;
const GZIP = 1;
const ZSTD = 2;

/** Gzip members of one MiB each, which decompress to one text. */
function gzippedZeros(mebibytes: number): Buffer {
  const member = gzipSync(Buffer.alloc(MIB));
  return Buffer.concat(new Array(mebibytes).fill(member));
}

/** In a single frame. */
async function zstdZeros(mebibytes: number): Promise<Buffer> {
  const zstd = createZstdCompress();
  const result = buffer(zstd);
  const zeros = Buffer.alloc(MIB);
  for (let i = 0; i < mebibytes; i++) if (!zstd.write(zeros)) await once(zstd, "drain");
  zstd.end();
  return result;
}

/** A compressed gRPC message, on that many calls at once. */
function messageBomb(name: string, calls: number, message: () => Buffer): Attack {
  return {
    name,
    async run({ connect }: Target) {
      const connection = await connect();
      const framed = grpcMessage(message(), { compressed: 1 });
      await connection.write(hello);
      for (let call = 0; call < calls; call++) {
        const stream = 2 * call + 1;
        const headers = callHeaders("Produce", ["grpc-encoding", "gzip"]);
        await connection.write(headersFrame(stream, headers), dataFrames(stream, framed, true));
      }
      await connection.answered(calls, WAIT_MS);
      const resets = resetsOf([connection]);
      return `${connection.ended} of ${calls} calls refused${resets && ` (${resets})`}, ${endsOf([connection])}`;
    },
  };
}

/** A batch whose records decompress to more than it declares, or declare more than is allowed. */
function batchBomb(name: string, batch: () => Promise<Buffer> | Buffer): Attack {
  return {
    name,
    async run({ address, onEnd }: Target) {
      const stranger = new Stranger(address);
      onEnd(() => stranger.close());
      const request = encode("ProduceRequest", { topic: "victim", batches: await batch() });
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => stranger.call("/logstore.v1.LogService/Produce", request)),
      );
      if (answers.some(({ status }) => status === 0)) throw new Error("a bomb was taken in");
      return tally(answers.map(({ detail, message }) => detail ?? message));
    },
  };
}

export const bombs: readonly Attack[] = [
  messageBomb("zip bomb: gzip message of 1 GB", 1, () => gzippedZeros(1_024)),
  messageBomb("zip bomb: gzip messages of 15 MB, 500 calls at once", 500, () => gzippedZeros(15)),
  messageBomb("zip bomb in a zip bomb", 1, () => gzipSync(gzippedZeros(8_192))),
  batchBomb("zip bomb: gzip batch of 256 MB that declares 10 kB", () => {
    const records = gzipSync(Buffer.alloc(256 * MIB), { level: 1 });
    return rawBatch({ records, recordCount: 1, recordsLength: 10_000, compression: GZIP });
  }),
  batchBomb("zip bomb: zstd batch of 1 GB that declares 1 GB", async () =>
    rawBatch({ records: await zstdZeros(1_024), recordCount: 1, recordsLength: 1_024 * MIB, compression: ZSTD }),
  ),
  batchBomb("batch of 20 million records of 3 bytes, in 6 kB", () => {
    const records = zstdCompressSync(Buffer.alloc(60_000_000, Buffer.of(4, 0, 0)));
    return rawBatch({ records, recordCount: 20_000_001, recordsLength: 60_000_000, compression: ZSTD });
  }),
  batchBomb("batch of 20 million records, all of them declared, in 6 kB", () => {
    const records = zstdCompressSync(Buffer.alloc(60_000_000, Buffer.of(4, 0, 0)));
    return rawBatch({ records, recordCount: 20_000_000, recordsLength: 60_000_000, compression: ZSTD });
  }),
  // Batches are decompressed one after another, up to their declared size, and each buffer is freed
  // before the next one.
  batchBomb("zip bomb: zstd batch of 1 GB that declares 60 MB", async () =>
    rawBatch({ records: await zstdZeros(1_024), recordCount: 1, recordsLength: 60 * MIB, compression: ZSTD }),
  ),
];
