/** Producing and consuming over gRPC with the servers in another process, beside bare grpc-js streams. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect, GrpcLogApi } from "@logstore/client";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { BareClient } from "./bare-grpc.ts";
import { compare, type Result, timed } from "./measure.ts";
import { batchOfRecords, record } from "./records.ts";
import { MESSAGE_BYTES, sealedBatch } from "./sealed-batch.ts";
import { startServer } from "./server-process.ts";

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

function expectRecords(seen: number, expected: number): void {
  if (seen !== expected) throw new Error(`consumed ${seen} records, not ${expected}`);
}
