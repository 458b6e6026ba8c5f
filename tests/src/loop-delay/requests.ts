/** The largest requests of each kind that a permitted principal may make, and bursts of them. */
import { gzipSync, zstdCompressSync } from "node:zlib";
import { MAX_RECORDS_PER_BATCH, RecordBatchBuilder } from "@logstore/codec";
import { rawBatch } from "../hostile/raw-batch.ts";
import { encode, type Stranger } from "../hostile/stranger.ts";

const MIB = 1024 * 1024;
const ZSTD = 2;
const GZIP = 1;
const NONE = 0;
const MANY = 10_000;

export interface LargeRequest {
  readonly name: string;
  /** Makes what it needs; not measured. */
  prepare?(stranger: Stranger): Promise<void>;
  run(stranger: Stranger): Promise<unknown>;
}

async function call(stranger: Stranger, method: string, message: string, fields: object): Promise<void> {
  const { status, message: why } = await stranger.call(`/logstore.v1.${method}`, encode(message, fields));
  if (status !== 0 && !/allowed|at most|more than/.test(why)) throw new Error(`${method}: ${status} ${why}`);
}

const createTopic = (stranger: Stranger, topic: string, partitions: number) =>
  call(stranger, "AdminService/CreateTopic", "CreateTopicRequest", { topic, partitions });

const produce = (stranger: Stranger, batches: Uint8Array) =>
  call(stranger, "LogService/Produce", "ProduceRequest", { topic: "one", batches });

const times = (count: number, run: () => Promise<unknown>) => Promise.all(Array.from({ length: count }, run));

/** One batch whose records are all the same. */
function same(record: readonly number[], recordCount: number, compression = ZSTD): Buffer {
  const records = Buffer.alloc(record.length * recordCount, Buffer.from(record));
  const stored = compression === ZSTD ? zstdCompressSync(records) : compression === GZIP ? gzipSync(records) : records;
  return rawBatch({ records: stored, recordCount, recordsLength: records.length, compression });
}

function smallest(): Uint8Array {
  const builder = new RecordBatchBuilder();
  builder.append(null, "", 0);
  return builder.seal();
}

/** A batch of one record that has so many headers of no length. */
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

const listOffsets = (stranger: Stranger, topic: string, partitions: object[]) =>
  call(stranger, "LogService/ListOffsets", "ListOffsetsRequest", { topic, partitions });

export const largeRequests: readonly LargeRequest[] = [
  {
    name: "CreateTopic of 10,000 partitions",
    run: (stranger) => createTopic(stranger, "many", MANY),
  },
  {
    name: "DescribeTopic of 10,000 partitions, 30 at once",
    run: (stranger) =>
      times(30, () => call(stranger, "AdminService/DescribeTopic", "DescribeTopicRequest", { topic: "many" })),
  },
  {
    name: "ListOffsets of 10,000 partitions, 10 at once",
    run(stranger) {
      const partitions = Array.from({ length: MANY }, (_, partition) => ({ partition, position: { edge: 2 } }));
      return times(10, () => listOffsets(stranger, "many", partitions));
    },
  },
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
      return listOffsets(stranger, "one", partitions);
    },
  },
  {
    name: "ListOffsets of one time, 10,000 times over",
    run: (stranger) =>
      listOffsets(stranger, "one", Array(MANY).fill({ partition: 0, position: { time: Date.now() - 1_000 } })),
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
    run: (stranger) => produce(stranger, Buffer.concat(Array(MANY).fill(smallest()))),
  },
  {
    name: "Fetch of 4 MiB of the smallest batches",
    async prepare(stranger) {
      for (let i = 0; i < 6; i++) await produce(stranger, Buffer.concat(Array(9_000).fill(smallest())));
    },
    run: (stranger) =>
      call(stranger, "LogService/Fetch", "FetchRequest", {
        topic: "one",
        from: { offset: 400_000 + 11 * MAX_RECORDS_PER_BATCH },
        maxBytes: 4 * MIB,
      }),
  },
  {
    name: "ListTopics of 1,000 topics, 20 at once",
    async prepare(stranger) {
      for (let i = 0; i < 1_000; i++) await createTopic(stranger, `topic-${i}`, 1);
    },
    run: (stranger) => times(20, () => call(stranger, "AdminService/ListTopics", "ListTopicsRequest", {})),
  },
];
