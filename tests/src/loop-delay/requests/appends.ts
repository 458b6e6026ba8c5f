/** Appends, and look-ups in what was appended. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { MAX_RECORDS_PER_BATCH, RecordBatchBuilder } from "@logstore/codec";
import { rawBatch } from "../../hostile/raw-batch.ts";
import { encode } from "../../hostile/stranger.ts";
import { call, createTopic, type LargeRequest, produce, times } from "../request.ts";

const MIB = 1024 * 1024;
const ZSTD = 2;
const GZIP = 1;
const NONE = 0;
/** Positions per look-up, which is the limit. */
const MANY = 10_000;
/** Batches per request, which is the limit. */
const BATCHES = 2_000;

/** One batch whose records are all the same. */
function same(record: readonly number[], recordCount: number, compression = ZSTD): Buffer {
  const records = Buffer.alloc(record.length * recordCount, Buffer.from(record));
  const stored = compression === ZSTD ? zstdCompressSync(records) : compression === GZIP ? gzipSync(records) : records;
  return rawBatch({ records: stored, recordCount, recordsLength: records.length, compression });
}

export function smallest(): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, "", 0);
  return builder.seal();
}

/** A batch of one record that has that many empty headers. */
function headers(count: number): Buffer {
  const body = Buffer.concat([Buffer.from([0, 0, 0]), Buffer.alloc(2 * count)]);
  const mark: number[] = [];
  for (let left = body.length * 2 + 1; ; left = Math.floor(left / 128)) {
    if (left < 128) {
      mark.push(left);
      break;
    }
    mark.push((left % 128) | 128);
  }
  const record = Buffer.concat([Buffer.from(mark), body]);
  return rawBatch({ records: record, recordCount: 1, recordsLength: record.length, compression: NONE });
}

const listOffsets = (partitions: object[]) => ({ topic: "one", partitions });

export const appends: readonly LargeRequest[] = [
  {
    name: "ListOffsets of 10,000 times",
    async prepare(stranger) {
      await createTopic(stranger, "one", 1);
      const builder = new RecordBatchBuilder();
      for (let i = 0; i < 200; i++) builder.append(null, "x".repeat(100), 0);
      const batch = builder.seal();
      for (let i = 0; i < 200; i++) await produce(stranger, Buffer.concat(Array(10).fill(batch)));
    },
    run(stranger) {
      const now = Date.now();
      const partitions = Array.from({ length: MANY }, (_, i) => ({ partition: 0, position: { time: now - i } }));
      return call(stranger, "LogService/ListOffsets", "ListOffsetsRequest", listOffsets(partitions));
    },
  },
  {
    name: "ListOffsets of the same time, 10,000 times",
    run(stranger) {
      const partitions = Array(MANY).fill({ partition: 0, position: { time: Date.now() - 1_000 } });
      return call(stranger, "LogService/ListOffsets", "ListOffsetsRequest", listOffsets(partitions));
    },
  },
  {
    name: "Produce: 20 million records in 5.6 kB, 10 at once",
    run: (stranger) => times(10, () => produce(stranger, same([4, 0, 0], 20_000_000))),
  },
  {
    name: "Produce: the most records in zstd, 10 at once",
    run: (stranger) => times(10, () => produce(stranger, same([4, 0, 0], MAX_RECORDS_PER_BATCH))),
  },
  {
    name: "Produce: the most records in gzip, 10 at once",
    run: (stranger) => times(10, () => produce(stranger, same([4, 0, 0], MAX_RECORDS_PER_BATCH, GZIP))),
  },
  {
    name: "Produce: 60 MiB in zstd, 5 at once",
    run(stranger) {
      const value = Array(60).fill(0);
      return times(5, () =>
        produce(stranger, same([(value.length + 2) * 2, 0, 0, ...value].slice(0, 63), MAX_RECORDS_PER_BATCH)),
      );
    },
  },
  {
    name: "Produce: 15 MiB of the smallest records",
    run: (stranger) => produce(stranger, same([4, 0, 0], MAX_RECORDS_PER_BATCH, NONE)),
  },
  {
    name: "Produce: 15 MiB of headers in one record",
    run: (stranger) => produce(stranger, headers(7 * MIB)),
  },
  {
    name: "Produce: 15 MiB of the smallest batches",
    run: (stranger) => produce(stranger, Buffer.concat(Array(200_000).fill(smallest()))),
  },
  {
    name: "Produce: the most batches",
    run: (stranger) => produce(stranger, Buffer.concat(Array(BATCHES).fill(smallest()))),
  },
  {
    name: "Produce: the most batches, 50 at once",
    run(stranger) {
      const batches = Buffer.concat(Array(BATCHES).fill(smallest()));
      return times(50, () => produce(stranger, batches));
    },
  },
  {
    name: "ProduceStream: 50 requests of the most batches",
    async run(stranger) {
      const batches = Buffer.concat(Array(BATCHES).fill(smallest()));
      const request = encode("ProduceRequest", { topic: "one", batches });
      const { status, answers } = await stranger.stream(
        "/logstore.v1.LogService/ProduceStream",
        Array(50).fill(request),
      );
      if (status !== 0 || answers !== 50) throw new Error(`ProduceStream: ${status}, ${answers} answers`);
    },
  },
];
