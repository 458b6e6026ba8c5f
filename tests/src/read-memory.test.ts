/**
 * Messages that wait for their reader, or that it has abandoned, do not exhaust memory. Resident
 * memory is read from /proc.
 */
import { writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { join } from "node:path";
import { connect, GrpcLogApi } from "@logstore/client";
import { Broker } from "@logstore/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkedReading, fill } from "./filled-topic.ts";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { consumeStream } from "./raw-consume.ts";
import { ServerProcess } from "./server-process.ts";

const MIB = 1024 * 1024;
const BUDGET_BYTES = 32 * MIB;

/**
 * Reads a partition at full speed without decoding anything. Resolves when the stream has ended.
 */
function readBlindly(session: ClientHttp2Session, partition: number, end: number): Promise<number> {
  const stream = consumeStream(session, partition, end);
  let bytes = 0;
  stream.on("data", (data: Buffer) => {
    bytes += data.length;
  });
  return new Promise((resolve) => stream.on("error", () => {}).on("close", () => resolve(bytes)));
}

/**
 * Starts to read a partition repeatedly, and cancels each time when the first bytes of a message
 * arrive.
 */
async function readAndLeave(session: ClientHttp2Session, partition: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const stream = consumeStream(session, partition, 1);
    stream.on("data", () => stream.close(constants.NGHTTP2_CANCEL));
    await new Promise((resolve) => stream.on("error", () => {}).on("close", resolve));
  }
}

/**
 * A server process with a topic of 8 partitions and a send budget of 32 MiB; reports the growth of
 * its resident memory.
 */
async function servedProcess(recordBytes: number, batches: number) {
  const directory = await temporaryDirectory();
  onTestFinished(() => removeDirectory(directory));
  const broker = await Broker.open(join(directory, "data"), { durability: "written" });
  await fill(broker, { partitions: 8, batches, batchBytes: recordBytes + 100, recordBytes });
  await broker.close();
  const config = join(directory, "logstore.yaml");
  await writeFile(config, `limits: { sendBudgetBytes: ${BUDGET_BYTES} }\n`);
  const server = await ServerProcess.start(join(directory, "data"), { args: ["--config", config] });
  onTestFinished(async () => void (await server.stop()));
  const before = await server.residentBytes();
  let growth = 0;
  const sampling = setInterval(async () => {
    growth = Math.max(growth, (await server.residentBytes()) - before);
  }, 20);
  onTestFinished(() => clearInterval(sampling));
  return {
    server,
    async mostGrowth() {
      const after = (await server.residentBytes()) - before;
      console.log(`grew by ${Math.round(growth / MIB)} MiB at most, ${Math.round(after / MIB)} MiB afterwards`);
      return growth;
    },
  };
}

function sessionsTo(server: ServerProcess, count: number): ClientHttp2Session[] {
  const sessions = Array.from({ length: count }, () => connectHttp2(`http://${server.address}`));
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
  });
  return sessions;
}

describe.skipIf(process.platform !== "linux")("the memory that a server holds for readers is within the budget", () => {
  test("192 streams of large records", async () => {
    const [recordBytes, batches] = [1_000_000, 4];
    const { server, mostGrowth } = await servedProcess(recordBytes, batches);
    const read = await Promise.all(
      sessionsTo(server, 24).flatMap((session) =>
        Array.from({ length: 8 }, (_, p) => readBlindly(session, p, batches)),
      ),
    );
    // Where this process is slow, some streams are cut off because others wait for memory.
    expect(read.reduce((sum, bytes) => sum + bytes)).toBeGreaterThan(4 * BUDGET_BYTES);
    expect(await mostGrowth()).toBeLessThan(130 * MIB);
    const client = connect(server.address);
    onTestFinished(() => client.close());
    const { check, ends } = checkedReading(recordBytes);
    const assign = { t: [0, 1, 2, 3, 4, 5, 6, 7] };
    for await (const { partition, offset, value } of client.reader({ assign, until: "latest" })) {
      check(partition, offset, value);
    }
    expect(ends()).toEqual(Array(8).fill(batches));
  });

  test("of cancelled streams, too", async () => {
    const { server, mostGrowth } = await servedProcess(8_000_000, 1);
    const sessions = sessionsTo(server, 4);
    await Promise.all(sessions.flatMap((session) => Array.from({ length: 8 }, (_, p) => readAndLeave(session, p, 5))));
    expect(await mostGrowth()).toBeLessThan(130 * MIB);
  });

  test("responses to fetches", async () => {
    const { server, mostGrowth } = await servedProcess(8_000_000, 1);
    const api = new GrpcLogApi(server.address);
    onTestFinished(() => api.close());
    for (let round = 0; round < 5; round++) {
      const fetches = Array.from({ length: 8 }, (_, partition) => api.fetch({ topic: "t", partition }));
      for (const { nextOffset } of await Promise.all(fetches)) expect(nextOffset).toBe(1);
    }
    expect(await mostGrowth()).toBeLessThan(130 * MIB);
  });
});
