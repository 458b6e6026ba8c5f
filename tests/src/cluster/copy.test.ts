/** `logstore copy` moves a topic from files to JetStream and back, unchanged. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { connect, GrpcLogApi, type LogApi } from "@logstore/client";
import { RecordBatch } from "@logstore/codec";
import { Broker } from "@logstore/core";
import { JetStreamEngine } from "@logstore/engine-jetstream";
import { serve } from "@logstore/server-grpc";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { NatsServers, natsServer, SKIPPED } from "../../../packages/engine-jetstream/test/nats-servers.ts";
import { sealedBatch } from "../bytes.ts";
import { temporaryDirectory } from "../homes.ts";

const cli = fileURLToPath(new URL("../../../packages/cli/dist/bin.cjs", import.meta.url));
const PARTITIONS = 2;

async function logstore(...args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code, stdout, stderr };
}

/** What a copy keeps of each batch: its offset, its append time and what the producer sealed. */
async function contentOf(api: LogApi) {
  const partitions = Array.from({ length: PARTITIONS }, async (_, partition) => {
    const batches: string[] = [];
    for await (const event of api.consume({ topic: "orders", partition, until: "latest" })) {
      if (event.type !== "batches") continue;
      for (let at = 0; at < event.batches.length; ) {
        const batch = RecordBatch.parse(event.batches, at);
        const { baseOffset, appendTime, bytes } = batch;
        batches.push(`${baseOffset} ${appendTime} ${Buffer.from(bytes.subarray(36)).toString("base64")}`);
        at += batch.byteLength;
      }
    }
    const [bounds] = await api.listOffsets({ topic: "orders", partitions: [{ partition, position: "earliest" }] });
    return { logStart: bounds!.logStartOffset, highWatermark: bounds!.highWatermark, batches };
  });
  return Promise.all(partitions);
}

describe.skipIf(natsServer() === undefined)("a topic moves between engines", () => {
  let nats: NatsServers;
  beforeAll(async () => {
    nats = await NatsServers.start();
  }, 60_000);
  afterAll(() => nats?.stop());

  async function openFiles(directory: string): Promise<Broker> {
    const broker = await Broker.open(directory);
    onTestFinished(() => broker.close());
    return broker;
  }

  /** Some batches of idempotent producers, at different times; the first ones are deleted again. */
  async function fill(broker: Broker): Promise<void> {
    const config = { durability: "flushed", retentionMs: 86_400_000, segmentBytes: 1_048_576 } as const;
    await broker.createTopic({ topic: "orders", partitions: PARTITIONS, config });
    for (let i = 0; i < 12; i++) {
      const stamp = { producerId: 7 + (i % 2), producerEpoch: 3, baseSequence: 5 + 3 * Math.floor(i / 2) };
      const batches = sealedBatch([`a${i}`, `b${i}`, `c${i}`.repeat(1_000)], stamp);
      await broker.produce({ topic: "orders", partition: 0, batches });
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const client = connect(broker);
    const producer = client.producer("orders", { compression: "zstd" });
    const record = (i: number) => ({
      key: `k${i}`,
      value: `v${i}`,
      timestamp: i,
      headers: [{ name: "h", value: "x" }],
    });
    await producer.sendMany(Array.from({ length: 300 }, (_, i) => ({ ...record(i), partition: 1 })));
    await broker.commitOffsets({ group: "g", offsets: [{ topic: "orders", partition: 0, offset: 20, metadata: "m" }] });
    await client.close();
    await broker.deleteRecords("orders", 0, 7); // in the middle of a batch
  }

  async function serveCluster() {
    const engine = await JetStreamEngine.open({ servers: nats.addresses, replicas: 1 });
    const broker = await Broker.openOn(engine);
    const server = await serve(broker, { port: 0 });
    const api = new GrpcLogApi(server.address);
    onTestFinished(async () => {
      api.close();
      await server.stop();
      await broker.close();
    });
    return { address: server.address, api };
  }

  test("from files to JetStream and back, with a cut in between: bytes, offsets, times, producers and groups", async () => {
    const [before, after] = [await temporaryDirectory(), join(await temporaryDirectory(), "back")];
    const source = await openFiles(before);
    await fill(source);
    const { address, api } = await serveCluster();

    const first = await logstore("copy", "orders", "--data", before, "--to", address, "--groups");
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining("has the durability written: flushed") });
    expect(first.stdout).toBe(
      "copied 329 records of orders to orders, with the same offsets, and compared them\n" +
        "copied the committed offsets of 1 group\n",
    );
    // What came later, as after a copy that was cut off.
    await source.produce({ topic: "orders", partition: 1, batches: sealedBatch(["later"]) });
    const refused = await logstore("copy", "orders", "--data", before, "--to", address);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("--continue") });
    const rest = await logstore("copy", "orders", "--data", before, "--to", address, "--continue");
    expect(rest.stdout).toContain("copied 1 record of orders");
    const original = await contentOf(source);
    expect(original[0]!.logStart).toBe(7);
    expect(await contentOf(api)).toEqual(original);
    expect((await api.describeTopic("orders")).config).toEqual({ retentionMs: 86_400_000, segmentBytes: 1_048_576 });
    expect(await api.fetchOffsets("g")).toMatchObject([{ topic: "orders", partition: 0, offset: 20, metadata: "m" }]);
    // The producers go on, and their last batches are known.
    const last = sealedBatch(["a11", "b11", "c11".repeat(1_000)], {
      producerId: 8,
      producerEpoch: 3,
      baseSequence: 20,
    });
    const resent = { topic: "orders", partition: 0, batches: last };
    expect(await api.produce(resent)).toMatchObject({ duplicate: true, baseOffset: 33 });

    const back = await logstore("copy", "orders", "--server", address, "--to-data", after, "--groups");
    expect(back).toMatchObject({ code: 0, stderr: "" });
    const copied = await openFiles(after);
    expect(await contentOf(copied)).toEqual(original);
    expect(await copied.produce({ ...resent, batches: Buffer.from(last) })).toMatchObject({ duplicate: true });
  });

  test("a copy that something else has written to is found", async () => {
    const directory = await temporaryDirectory();
    await fill(await openFiles(directory));
    const { address, api } = await serveCluster();
    await api.deleteTopic("orders");
    await api.createTopic({ topic: "orders", partitions: PARTITIONS });
    await api.produce({ topic: "orders", partition: 0, batches: sealedBatch(Array(7).fill("other")) });
    const { code, stderr } = await logstore("copy", "orders", "--data", directory, "--to", address, "--continue");
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("NOT_A_COPY") });
  });
});

if (natsServer() === undefined) test.skip(SKIPPED, () => {});
