/**
 * Producing and consuming over gRPC with the servers in another process, compared with bare grpc-js
 * streams.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connect, GrpcLogApi, type LogClient } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import { PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import { BareClient } from "./bare-grpc.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { compare, type Result, type Run, timed } from "./measure.ts";
import { batchOfRecords, record } from "./records.ts";
import { ServerProcess } from "./server-process.ts";
import type { Settings } from "./settings.ts";

/** The size at which the client's producer sends a batch, and the server a response. */
const MESSAGE_BYTES = 256 * 1024;
const UNACKED_BATCHES = 32;
const READ_FROM = "read-from";

export function served(settings: Settings): Promise<Result[]> {
  return compareStreams(settings, undefined);
}

/** The same with TLS on both sides. */
export function servedWithTls(settings: Settings): Promise<Result[]> {
  return compareStreams(settings, makeCertificate(settings.directory));
}

/** A server, a bare peer and clients of both. */
interface Scene extends AsyncDisposable {
  readonly client: LogClient;
  readonly api: GrpcLogApi;
  readonly bare: BareClient;
  /** Messages of one measurement, and the records in them. */
  readonly messages: number;
  readonly moved: number;
}

async function openScene({ directory, records }: Settings, certificate: Certificate | undefined): Promise<Scene> {
  const server = await ServerProcess.start(join(directory, "data"), certificate);
  const { address } = server;
  const files = certificate === undefined ? [] : [certificate.certFile, certificate.keyFile];
  const bareServer = fork(new URL("bare-server.ts", import.meta.url), files);
  const bare = new BareClient((await once(bareServer, "message"))[0], certificate);
  if (certificate !== undefined) await expectEncrypted(address);
  const trusting = certificate && { tls: { caFile: certificate.certFile } };
  const client = connect(address, trusting);
  const api = new GrpcLogApi(address, trusting);
  const { recordsPerMessage } = sealedBatch();
  const messages = Math.floor(records / recordsPerMessage);
  return {
    ...{ client, api, bare, messages },
    moved: messages * recordsPerMessage,
    async [Symbol.asyncDispose]() {
      await client.close();
      api.close();
      bare.close();
      bareServer.disconnect();
      await Promise.all([once(bareServer, "exit"), server.stop()]);
    },
  };
}

async function compareStreams(settings: Settings, certificate: Certificate | undefined): Promise<Result[]> {
  await using scene = await openScene(settings, certificate);
  const { bare, messages, moved } = scene;
  const { sealedBytes } = sealedBatch();
  const limitUpload = () => timed(moved, () => bare.upload(sealedBytes, messages));
  const limitDownload = () => timed(moved, () => bare.download(sealedBytes, messages));
  await fill(scene, READ_FROM);
  const unit = "records/s";
  return [
    await compare(
      { name: "produce sealed batches", limitName: "bare upload, acked", unit, target: { atLeast: 0.8 } },
      settings.rounds,
      () => withFreshTopic(scene, (topic) => produceSealed(scene, topic)),
      limitUpload,
    ),
    await compare(
      { name: "produce records (producer.send)", limitName: "bare upload, acked", unit },
      settings.rounds,
      () => withFreshTopic(scene, (topic) => produceRecords(scene, topic)),
      limitUpload,
    ),
    await compare(
      { name: "consume batches, verified", limitName: "bare download", unit, target: { atLeast: 0.9 } },
      settings.rounds,
      () => consumeBatches(scene),
      limitDownload,
    ),
    await compare(
      { name: "consume records (for await), verified", limitName: "bare download", unit },
      settings.rounds,
      () => consumeRecords(scene),
      limitDownload,
    ),
  ];
}

/**
 * Creating and removing the topic is not measured, and each run finds the machine in the same
 * state.
 */
async function withFreshTopic({ client }: Scene, work: (topic: string) => Promise<Run>): Promise<Run> {
  const topic = "written-to";
  await client.createTopic(topic, { partitions: 1 });
  const run = await work(topic);
  await client.deleteTopic(topic);
  return run;
}

function produceSealed({ api, messages, moved }: Scene, topic: string): Promise<Run> {
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
}

async function produceRecords({ client, moved }: Scene, topic: string): Promise<Run> {
  const producer = client.producer(topic, { batchBytes: MESSAGE_BYTES });
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
}

async function fill({ client, api, messages }: Scene, topic: string): Promise<void> {
  await client.createTopic(topic, { partitions: 1 });
  await Promise.all(
    Array.from({ length: messages }, () => api.produce({ topic, partition: 0, batches: sealedBatch().batch })),
  );
}

function readerOf({ client }: Scene) {
  return client.reader({ assign: { [READ_FROM]: [0] }, until: "latest" });
}

function consumeBatches(scene: Scene): Promise<Run> {
  return timed(scene.moved, async () => {
    let seen = 0;
    for await (const { baseOffset, nextOffset } of readerOf(scene).batches()) seen += nextOffset - baseOffset;
    expectRecords(seen, scene.moved);
  });
}

function consumeRecords(scene: Scene): Promise<Run> {
  return timed(scene.moved, async () => {
    let bytes = 0;
    for await (const { value } of readerOf(scene)) bytes += value.length;
    expectRecords(bytes / record.value.length, scene.moved);
  });
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

/** Verifies that the connection is encrypted, since a comparison with plaintext would be unfair. */
async function expectEncrypted(address: string): Promise<void> {
  await using plain = connect(address, { timeoutMs: 1_000 });
  const answered = await plain.listTopics().then(
    () => true,
    () => false,
  );
  if (answered) throw new Error("the server answers without TLS");
}

function expectRecords(seen: number, expected: number): void {
  if (seen !== expected) throw new Error(`consumed ${seen} records, not ${expected}`);
}
