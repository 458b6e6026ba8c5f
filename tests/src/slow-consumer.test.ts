/**
 * A consumer that hardly reads: its backlog stays on the server's disk, not in the memory of any
 * process.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { afterEach, beforeEach, expect, test } from "vitest";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

const MIB = 1024 * 1024;
const BACKLOG_BYTES = 200_000_000;
const MAX_GROWTH_BYTES = 150_000_000;
const SECONDS = 6;

let directory: string;
let server: ServerProcess;

beforeEach(async () => {
  directory = await temporaryDirectory();
  server = await ServerProcess.start(directory);
});

afterEach(async () => {
  await server.stop();
  await removeDirectory(directory);
});

async function produceBacklog(partitionCount: number): Promise<void> {
  await using client = connect(server.address);
  await client.createTopic("t", { partitions: partitionCount });
  const value = new Uint8Array(1000).fill(1);
  const records = Array.from({ length: BACKLOG_BYTES / value.length }, (_, i) => ({
    value,
    partition: i % partitionCount,
  }));
  await client.producer("t", { durability: "written" }).sendMany(records);
}

/** A process that reports once, when its time is over. */
async function reportOf(program: URL, partitionCount: number): Promise<unknown> {
  const args = [server.address, String(partitionCount), String(SECONDS)];
  const child = fork(program, args);
  try {
    const died = once(child, "exit").then(([code]) =>
      Promise.reject(new Error(`${program.pathname} ended with ${code}`)),
    );
    const [told] = await Promise.race([once(child, "message"), died]);
    return told;
  } finally {
    child.kill();
  }
}

// Resident memory is read from /proc.
test.skipIf(process.platform !== "linux").each([1, 10])(
  "one batch a second, and a member of a group that is stuck in its first record, of a backlog of 200 MB in %i partitions",
  async (partitionCount) => {
    await produceBacklog(partitionCount);
    await server.stop();
    server = await ServerProcess.start(directory); // its memory before it has served anything
    const before = await server.residentBytes();
    let serverGrowth = 0;
    const sampling = setInterval(async () => {
      serverGrowth = Math.max(serverGrowth, (await server.residentBytes()) - before);
    }, 500);
    try {
      const [readerGrowth, told] = (await Promise.all([
        reportOf(new URL("slow-reader.ts", import.meta.url), partitionCount),
        reportOf(new URL("stuck-member.ts", import.meta.url), partitionCount),
      ])) as [number, { growth: number; lost: number; assigned: number; lag: number }];
      const inMiB = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
      console.log(
        `${partitionCount} partitions: server grew by ${inMiB(serverGrowth)}, reader by ${inMiB(readerGrowth)}, member by ${inMiB(told.growth)}`,
      );
      // It is alive, so it keeps its partitions, however far it lags behind.
      expect(told).toMatchObject({ lost: 0, assigned: partitionCount, lag: BACKLOG_BYTES / 1000 - 1 });
      for (const growth of [readerGrowth, told.growth, serverGrowth]) {
        expect(growth).toBeGreaterThan(0);
        expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
      }
    } finally {
      clearInterval(sampling);
    }
  },
);

test("a slow loop is disconnected by the server, and resumes where it was", async () => {
  await using broker = await Broker.open(":memory:");
  await broker.createTopic({ topic: "t", partitions: 1 });
  const value = new Uint8Array(100_000).fill(1);
  for (let i = 0; i < 100; i++) await broker.topic("t").append(null, value);
  let cutOff = Promise.withResolvers<void>();
  let streams = 0;
  const consume = broker.consume.bind(broker);
  broker.consume = async function* (request, options) {
    streams++;
    try {
      yield* consume(request, options);
    } finally {
      cutOff.resolve();
    }
  };
  await using server = await serve(broker, { port: 0, stalledStreamTimeoutMs: 20 });
  await using client = connect(server.address);
  const offsets: number[] = [];
  for await (const { offset } of client.reader({ assign: { t: [0] }, until: "latest" })) {
    offsets.push(offset);
    if (offset % 40 === 5) {
      await cutOff.promise;
      cutOff = Promise.withResolvers();
    }
  }
  expect(offsets).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(streams).toBeGreaterThan(1);
});
