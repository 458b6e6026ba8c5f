/**
 * Messages that wait for their reader are neither overwritten nor held in memory without bound, and readers do not block each other.
 * Each record's content says which one it is.
 */
import { writeFile } from "node:fs/promises";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, GrpcLogApi } from "@logstore/client";
import { frameBatches, RecordBatchBuilder } from "@logstore/codec";
import { Broker } from "@logstore/core";
import type { LogApi } from "@logstore/protocol";
import { type ServeOptions, serve } from "@logstore/server-grpc";
import { expect, onTestFinished, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

function contentOf(partition: number, offset: number, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${partition}/${offset} `);
}

interface Filling {
  readonly partitions: number;
  readonly batches: number;
  readonly batchBytes: number;
  readonly recordBytes: number;
}

/** A topic "t" with full batches, as a producer makes them. Returns how many records are in each partition. */
async function fill(api: LogApi, { partitions, batches, batchBytes, recordBytes }: Filling): Promise<number> {
  await api.createTopic({ topic: "t", partitions, config: { maxBatchBytes: Math.max(batchBytes + 1000, 16 * MIB) } });
  let end = 0;
  for (let partition = 0; partition < partitions; partition++) {
    let offset = 0;
    for (let i = 0; i < batches; i++) {
      const builder = new RecordBatchBuilder({ targetBytes: batchBytes });
      while (builder.append(null, contentOf(partition, offset, recordBytes), 1)) offset++;
      end = (await api.produce({ topic: "t", partition, batches: builder.seal(), durability: "written" })).nextOffset;
    }
  }
  return end;
}

/** Served from disk: nothing is in the cache of the log's tail. */
async function servedTopic(filling: Filling, options: ServeOptions = {}) {
  const broker = await Broker.open(":memory:", { tailCacheBytes: 0, segmentBytes: 3 * MIB });
  onTestFinished(() => broker.close());
  const server = await serve(broker, { port: 0, ...options });
  onTestFinished(() => server.stop());
  const end = await fill(broker, filling);
  const client = connect(server.address);
  onTestFinished(() => client.close());
  const api = new GrpcLogApi(server.address);
  onTestFinished(() => api.close());
  return { end, client, api };
}

/** Checks what is read of several partitions: nothing is missing, nothing comes twice, and each record is the one it says. */
function checkedReading(recordBytes: number) {
  const next = new Map<number, number>();
  return {
    check(partition: number, offset: number, value: Uint8Array) {
      const expected = next.get(partition) ?? 0;
      if (offset !== expected) throw new Error(`partition ${partition}: ${offset} came in place of ${expected}`);
      if (contentOf(partition, offset, recordBytes).compare(value) !== 0) {
        throw new Error(`${partition}/${offset} has the content of another: ${Buffer.from(value.subarray(0, 20))}`);
      }
      next.set(partition, offset + 1);
    },
    ends: () => [...next.values()],
  };
}

test("one consumer of 40 partitions, with batches of the default length", async () => {
  const filling = { partitions: 40, batches: 4, batchBytes: 256 * KIB, recordBytes: 1000 };
  const { end, client } = await servedTopic(filling);
  const assign = { t: Array.from({ length: 40 }, (_, partition) => partition) };
  const { check, ends } = checkedReading(1000);
  for await (const { partition, offset, value } of client.consumer({ assign, until: "latest" })) {
    check(partition, offset, value);
  }
  expect(ends()).toEqual(Array(40).fill(end));
});

test.each([300, 900])("a slow reader of batches of %d KiB", async (kib) => {
  const { end, client } = await servedTopic({ partitions: 3, batches: 20, batchBytes: kib * KIB, recordBytes: 10_000 });
  const { check, ends } = checkedReading(10_000);
  for await (const batch of client.consumer({ assign: { t: [0, 1, 2] }, until: "latest" }).batches()) {
    await sleep(5);
    for (const { partition, offset, value } of batch) check(partition, offset, value);
  }
  expect(ends()).toEqual([end, end, end]);
});

/** Reads through with Fetch. */
async function fetchAll(api: LogApi, end: number, recordBytes: number, maxBytes: number): Promise<void> {
  const { check, ends } = checkedReading(recordBytes);
  for (let from = 0; from < end; ) {
    const result = await api.fetch({ topic: "t", partition: 0, from, maxBytes });
    for (const batch of frameBatches(result.batches)) {
      for (const { offset, value } of batch.verify()) if (offset >= from) check(0, offset, value);
    }
    from = result.nextOffset;
  }
  expect(ends()).toEqual([end]);
}

test("600 fetches at once, and a reader beside them", async () => {
  const { api, client, end } = await servedTopic({
    partitions: 1,
    batches: 16,
    batchBytes: 100 * KIB,
    recordBytes: 5000,
  });
  const request = { topic: "t", partition: 0, maxBytes: 1_500_000 };
  const fetches = Promise.all(Array.from({ length: 600 }, () => api.fetch(request)));
  fetches.catch(() => {}); // told below
  const { check, ends } = checkedReading(5000);
  for await (const { offset, value } of client.consumer({ assign: { t: [0] }, until: "latest" }))
    check(0, offset, value);
  expect(ends()).toEqual([end]);
  for (const { nextOffset, batches } of await fetches) {
    expect(nextOffset).toBeGreaterThan(0);
    expect([...frameBatches(batches)].at(-1)!.nextOffset).toBe(nextOffset);
  }
});

test("a fetch that asks for more than there is for all answers with what there is room for", async () => {
  const filling = { partitions: 1, batches: 30, batchBytes: 100 * KIB, recordBytes: 5000 };
  const { api, client, end } = await servedTopic(filling, { sendBudgetBytes: 400 * KIB });
  await fetchAll(api, end, 5000, 4 * MIB);
  // Several, and a reader, share what is too little for one of them.
  const { check, ends } = checkedReading(5000);
  const fetching = Promise.all(Array.from({ length: 5 }, () => fetchAll(api, end, 5000, 4 * MIB)));
  for await (const { offset, value } of client.consumer({ assign: { t: [0] }, until: "latest" }))
    check(0, offset, value);
  await fetching;
  expect(ends()).toEqual([end]);
});

test("a fetch that waits for more than there will be is answered when others need the room", async () => {
  const filling = { partitions: 1, batches: 4, batchBytes: 100 * KIB, recordBytes: 5000 };
  const { api, end } = await servedTopic(filling, { sendBudgetBytes: 300 * KIB });
  const waiting = api.fetch({
    topic: "t",
    partition: 0,
    from: end - 20,
    minBytes: 4 * MIB,
    maxBytes: 4 * MIB,
    maxWaitMs: 60_000,
  });
  await fetchAll(api, end, 5000, 4 * MIB);
  expect((await waiting).nextOffset).toBe(end);
});

/** Reads a partition as fast as it comes, and looks at nothing of it. Resolves when the stream has ended. */
function readBlindly(session: ReturnType<typeof connectHttp2>, partition: number, end: number): Promise<number> {
  const request = Buffer.from([0x0a, 1, 0x74, 0x10, partition, 0x22, 2, 0x08, end]); // topic, partition, until
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0, request.length), request]);
  const stream: ClientHttp2Stream = session.request({
    ":method": "POST",
    ":path": "/logstore.v1.LogService/Consume",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.end(message);
  let bytes = 0;
  stream.on("data", (data: Buffer) => {
    bytes += data.length;
  });
  return new Promise((resolve) => stream.on("error", () => {}).on("close", () => resolve(bytes)));
}

// Resident memory is read from /proc.
test.skipIf(process.platform !== "linux")("what 192 streams of large records hold is within the budget", async () => {
  const directory = await temporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  const [recordBytes, batches] = [1_000_000, 4];
  const broker = await Broker.open(join(directory, "data"), { durability: "written" });
  await fill(broker, { partitions: 8, batches, batchBytes: recordBytes + 100, recordBytes });
  await broker.close();
  const config = join(directory, "logstore.yaml");
  await writeFile(config, `limits: { sendBudgetBytes: ${32 * MIB} }\n`);
  const server = await ServerProcess.start(join(directory, "data"), { args: ["--config", config] });
  onTestFinished(async () => void (await server.stop()));
  const before = await server.residentBytes();
  let growth = 0;
  const sampling = setInterval(async () => {
    growth = Math.max(growth, (await server.residentBytes()) - before);
  }, 20);
  const sessions = Array.from({ length: 24 }, () => connectHttp2(`http://${server.address}`));
  const read = await Promise.all(
    sessions.flatMap((session) => Array.from({ length: 8 }, (_, p) => readBlindly(session, p, batches))),
  );
  for (const session of sessions) session.destroy();
  clearInterval(sampling);
  const after = (await server.residentBytes()) - before;
  console.log(`grew by ${Math.round(growth / MIB)} MiB at most, ${Math.round(after / MIB)} MiB afterwards`);
  expect(read.filter((bytes) => bytes > batches * recordBytes).length).toBeGreaterThan(100);
  expect(growth).toBeLessThan(130 * MIB);
  const client = connect(server.address);
  onTestFinished(() => client.close());
  const { check, ends } = checkedReading(recordBytes);
  const assign = { t: [0, 1, 2, 3, 4, 5, 6, 7] };
  for await (const { partition, offset, value } of client.consumer({ assign, until: "latest" })) {
    check(partition, offset, value);
  }
  expect(ends()).toEqual(Array(8).fill(batches));
});
