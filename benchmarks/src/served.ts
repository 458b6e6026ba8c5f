/** Producing and consuming over gRPC with the servers in another process, beside bare grpc-js streams. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connect, GrpcLogApi } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { BareClient } from "./bare-grpc.ts";
import { compare, type Result, timed } from "./measure.ts";
import { batchOfRecords, record } from "./records.ts";

/** What the client's producer fills before it sends, and the server before it answers. */
const MESSAGE_BYTES = 256 * 1024;
const UNACKED_BATCHES = 32;

export async function served(directory: string, records: number, rounds: number): Promise<Result[]> {
  const { server, address } = await startServer(directory);
  const bareServer = fork(new URL("bare-server.ts", import.meta.url));
  const bare = new BareClient((await once(bareServer, "message"))[0]);
  const client = connect(address);
  const api = new GrpcLogApi(address);
  let topics = 0;
  const freshTopic = async () => {
    const topic = `topic-${topics++}`;
    await client.createTopic(topic, { partitions: 1 });
    return topic;
  };

  const { sealedBytes, recordsPerMessage } = sealedBatch();
  const messages = Math.floor(records / recordsPerMessage);
  const moved = messages * recordsPerMessage;
  const limitUpload = () => timed(moved, () => bare.upload(sealedBytes, messages));
  const limitDownload = () => timed(moved, () => bare.download(sealedBytes, messages));

  const produceSealed = async () => {
    const topic = await freshTopic();
    const batches = Array.from({ length: messages }, () => sealedBatch().batch);
    return timed(moved, async () => {
      const underWay = new Set<Promise<unknown>>();
      for (const batch of batches) {
        const ack = api.produce({ topic, partition: 0, batches: batch, headroomBytes: PRODUCE_HEADROOM_BYTES });
        const settled = ack.finally(() => underWay.delete(settled));
        underWay.add(settled);
        if (underWay.size >= UNACKED_BATCHES) await Promise.race(underWay);
      }
      await Promise.all(underWay);
    });
  };
  const produceRecords = async () => {
    const producer = client.producer(await freshTopic(), { batchBytes: MESSAGE_BYTES });
    const batches = Math.floor(moved / batchOfRecords.length);
    const run = await timed(batches * batchOfRecords.length, async () => {
      for (let i = 0; i < batches; i++) {
        for (const one of batchOfRecords) void producer.send(one);
        await producer.ready();
      }
      await producer.flush();
    });
    await producer.close();
    return run;
  };

  const topic = await freshTopic();
  await Promise.all(
    Array.from({ length: messages }, () => api.produce({ topic, partition: 0, batches: sealedBatch().batch })),
  );
  const consumer = () => client.consumer({ assign: { [topic]: [0] }, until: "latest" });
  const consumeBatches = () =>
    timed(moved, async () => {
      let seen = 0;
      for await (const { baseOffset, nextOffset } of consumer().batches()) seen += nextOffset - baseOffset;
      expectRecords(seen, moved);
    });
  const consumeRecords = () =>
    timed(moved, async () => {
      let bytes = 0;
      for await (const { value } of consumer()) bytes += value.length;
      expectRecords(bytes / record.value.length, moved);
    });

  const unit = "records/s";
  const comparisons = [
    await compare(
      { name: "produce sealed batches", limitName: "bare upload, acked", unit },
      rounds,
      produceSealed,
      limitUpload,
    ),
    await compare(
      { name: "produce records (producer.send)", limitName: "bare upload, acked", unit },
      rounds,
      produceRecords,
      limitUpload,
    ),
    await compare(
      { name: "consume batches, verified", limitName: "bare download", unit },
      rounds,
      consumeBatches,
      limitDownload,
    ),
    await compare(
      { name: "consume records (for await), verified", limitName: "bare download", unit },
      rounds,
      consumeRecords,
      limitDownload,
    ),
  ];
  await client.close();
  api.close();
  bare.close();
  bareServer.disconnect();
  server.kill("SIGTERM");
  await Promise.all([once(bareServer, "exit"), once(server, "exit")]);
  return comparisons;
}

/** The command, as anybody runs it. */
async function startServer(directory: string): Promise<{ server: ChildProcess; address: string }> {
  const bin = fileURLToPath(new URL("dist/bin.js", import.meta.resolve("@logstore/server-grpc/package.json")));
  const args = [bin, "--data", directory, "--port", "0", "--durability", "written"];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    const address = line.split(" ").at(-1);
    if (address !== undefined) return { server, address };
  }
  throw new Error("the server did not start");
}

function sealedBatch(): { batch: Uint8Array; sealedBytes: number; recordsPerMessage: number } {
  const builder = new RecordBatchBuilder({
    targetBytes: MESSAGE_BYTES,
    expectedBytes: MESSAGE_BYTES,
    headroomBytes: PRODUCE_HEADROOM_BYTES,
  });
  let recordsPerMessage = 0;
  while (builder.append(record.key, record.value, record.timestamp)) recordsPerMessage++;
  const batch = builder.seal();
  return { batch, sealedBytes: batch.length, recordsPerMessage };
}

function expectRecords(seen: number, expected: number): void {
  if (seen !== expected) throw new Error(`consumed ${seen} records, not ${expected}`);
}
