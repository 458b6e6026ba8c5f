/** `@logstore/client`, in each way of writing and reading. */
import type { LogClient } from "@logstore/client";
import type { RecordBatchBuilder } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { MESSAGE_BYTES } from "./bare-grpc.ts";
import { packageOf } from "./checkout.ts";
import { type Chunks, Skipped } from "./embedded.ts";
import type { ClientOptions, LiveTopic, LogConnection } from "./served.ts";
import type { Sink, Source } from "./values.ts";

const UNACKED_BATCHES = 32;
const SIZES = { targetBytes: MESSAGE_BYTES, expectedBytes: MESSAGE_BYTES };

type Protocol = typeof import("@logstore/protocol");

export interface Sealing {
  readonly api: Pick<LogApi, "produce">;
  readonly Builder: typeof RecordBatchBuilder;
  readonly headroomBytes: number;
}

export const settings = `defaults; batches of ${MESSAGE_BYTES / 1024} KiB; checksums verified`;

export async function connect(address: string, options: ClientOptions): Promise<LogConnection> {
  const { certificate, durability, way = "sendMany", checkout } = options;
  const { connect: connectTo, GrpcLogApi } = await packageOf<typeof import("@logstore/client")>("client", checkout);
  const trusting = certificate && { tls: { caFile: certificate.certFile } };
  const client = connectTo(address, trusting);
  if (way === "chunks" && chunksOf(client, "none") === undefined) {
    await client.close();
    throw new Skipped("this build reads no chunks");
  }
  const api = new GrpcLogApi(address, trusting);
  const { RecordBatchBuilder: Builder } = await packageOf<typeof import("@logstore/codec")>("codec", checkout);
  const { PRODUCE_HEADROOM_BYTES: headroomBytes } = await packageOf<Protocol>("protocol", checkout);
  const prepare = (topic: string, source: Source) => preparedSealed({ api, Builder, headroomBytes }, topic, source);
  return {
    createTopic: async (topic) => void (await client.createTopic(topic, { partitions: 1, durability })),
    deleteTopic: (topic) => client.deleteTopic(topic),
    async produce(topic, source) {
      if (way === "sealed") await prepare(topic, source)();
      else if (way === "send") await send(client, topic, source);
      else await sendMany(client, topic, source);
    },
    ...(way === "sealed" && { prepare }),
    consume(topic, sink) {
      if (way === "sealed") return consumeWhole(client, topic, sink);
      if (way === "chunks") return consumeChunks(client, topic, sink);
      return way === "send" ? consumeRecords(client, topic, sink) : consumeBatches(client, topic, sink);
    },
    live: async (topic) => liveTopic(client, topic),
    async close() {
      await client.close();
      api.close();
    },
  };
}

/** Makes batches, and returns what sends them: what the connection and the server can do. */
export function preparedSealed({ api, Builder, headroomBytes }: Sealing, topic: string, source: Source) {
  const batches = sealedBatches(source, () => new Builder({ ...SIZES, headroomBytes }));
  return async (): Promise<void> => {
    const underWay = new Set<Promise<unknown>>();
    for (const batch of batches) {
      const ack = api.produce({ topic, partition: 0, batches: batch, headroomBytes, isOwned: true });
      const settled = ack.finally(() => underWay.delete(settled));
      underWay.add(settled);
      if (underWay.size >= UNACKED_BATCHES) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  };
}

/** As many values in a batch as fit into a message. */
function sealedBatches(source: Source, empty: () => RecordBatchBuilder): Uint8Array[] {
  const sealed: Uint8Array[] = [];
  let builder = empty();
  const timestamp = Date.now();
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    for (const value of batch.values) {
      if (builder.append(null, value, timestamp)) continue;
      sealed.push(builder.seal());
      builder = empty();
      builder.append(null, value, timestamp);
    }
  }
  sealed.push(builder.seal());
  return sealed;
}

async function send(client: LogClient, topic: string, source: Source): Promise<void> {
  await using producer = client.producer(topic);
  for (let batch = source.next(); batch !== undefined; batch = source.next()) {
    for (const record of batch.records) void producer.send(record);
    await producer.ready();
  }
  await producer.flush();
}

async function sendMany(client: LogClient, topic: string, source: Source): Promise<void> {
  await using producer = client.producer(topic);
  await producer.sendMany(
    (function* () {
      for (let batch = source.next(); batch !== undefined; batch = source.next()) yield* batch.records;
    })(),
  );
}

/** Verified batches, handed on as bytes. */
export async function consumeWhole(client: LogClient, topic: string, sink: Sink): Promise<void> {
  for await (const { baseOffset, nextOffset, bytes } of readerOf(client, topic).batches()) {
    sink.useWhole(bytes, baseOffset, nextOffset);
  }
}

async function consumeBatches(client: LogClient, topic: string, { use }: Sink): Promise<void> {
  for await (const batch of readerOf(client, topic).batches()) {
    for (const { value } of batch) use(value);
  }
}

async function consumeRecords(client: LogClient, topic: string, { use }: Sink): Promise<void> {
  for await (const { value } of readerOf(client, topic)) use(value);
}

async function consumeChunks(client: LogClient, topic: string, { use }: Sink): Promise<void> {
  for await (const records of chunksOf(client, topic)!()) {
    for (const { value } of records) use(value);
  }
}

/** Reading that many records at a time, where the build has it. */
function chunksOf(client: LogClient, topic: string): Chunks | undefined {
  const reader = readerOf(client, topic) as { readonly chunks?: Chunks };
  return reader.chunks?.bind(reader);
}

function readerOf(client: LogClient, topic: string) {
  return client.reader({ assign: { [topic]: [0] }, until: "latest" });
}

function liveTopic(client: LogClient, topic: string): LiveTopic {
  const producer = client.producer(topic);
  const reader = client.reader({ assign: { [topic]: [0] }, from: "earliest" });
  let failure: unknown;
  const fail = (error: unknown) => {
    failure ??= error;
  };
  return {
    send: (value) => void producer.send({ value }).catch(fail),
    async tail(use) {
      void (async () => {
        for await (const { value } of reader) use(value);
      })().catch(fail);
    },
    async flush() {
      await producer.flush();
      if (failure !== undefined) throw failure;
    },
    async close() {
      await reader.close();
      await producer.close();
    },
  };
}
