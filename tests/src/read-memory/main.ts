/**
 * Measures the memory that slow readers of large records occupy in a server: `node
 * src/read-memory/main.ts [--readers 24] [--partitions 8] [--record-bytes 15728640] [--records 2]
 * [--seconds 20] [--pause-ms 100] [--dist DIR]`, where DIR is the `dist` of a server's build.
 * Prints the resident memory before, at most during, and after the reads. The data is in memory
 * (/dev/shm) where available.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { consumeStream } from "../raw-consume.ts";
import { bin as ownBin, ServerProcess } from "../server-process.ts";

const MIB = 1024 * 1024;
const SAMPLE_INTERVAL_MS = 50;
const SECONDS_AFTER = [1, 5, 15];

const { values } = parseArgs({
  options: {
    readers: { type: "string", default: "24" },
    partitions: { type: "string", default: "8" },
    "record-bytes": { type: "string", default: String(15 * MIB) },
    records: { type: "string", default: "2" },
    seconds: { type: "string", default: "20" },
    /** Between two chunks of at most 16 KiB that a stream reads. */
    "pause-ms": { type: "string", default: "100" },
    dist: { type: "string" },
  },
});
const readers = Number(values.readers);
const partitions = Number(values.partitions);
const pauseMs = Number(values["pause-ms"]);
const dist = values.dist === undefined ? resolve(ownBin, "..") : resolve(values.dist);

const directory = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "logstore-read-memory-"));
try {
  await fill(Number(values["record-bytes"]), Number(values.records));
  await measure(Number(values.seconds));
} finally {
  await rm(directory, { recursive: true });
}

/** With the engine that the server's build uses. */
async function fill(recordBytes: number, records: number): Promise<void> {
  const { resolve: resolveFrom } = createRequire(join(dist, "index.js"));
  const load = (name: string) => import(pathToFileURL(resolveFrom(name)).href);
  const { Broker }: typeof import("@logstore/core") = await load("@logstore/core");
  const { RecordBatchBuilder }: typeof import("@logstore/codec") = await load("@logstore/codec");
  const broker = await Broker.open(directory, { durability: "written" });
  await broker.createTopic({ topic: "t", partitions });
  for (let partition = 0; partition < partitions; partition++) {
    for (let record = 0; record < records; record++) {
      const builder = new RecordBatchBuilder({ targetBytes: recordBytes + 100 });
      builder.append(null, Buffer.alloc(recordBytes, `${partition}/${record} `), 1);
      await broker.produce({ topic: "t", partition, batches: builder.seal() });
    }
  }
  await broker.close();
}

async function measure(seconds: number): Promise<void> {
  const bin = ["bin.cjs", "bin.js"].map((name) => join(dist, name)).find((file) => existsSync(file));
  const server = await ServerProcess.start(directory, { bin });
  const resident = async () => Math.round((await server.residentBytes()) / MIB);
  try {
    console.log(`${await resident()} MiB resident before`);
    let most = 0;
    const sampling = setInterval(async () => {
      most = Math.max(most, await resident());
    }, SAMPLE_INTERVAL_MS);
    const sessions = Array.from({ length: readers }, () => connectHttp2(`http://${server.address}`));
    let readBytes = 0;
    for (const session of sessions) {
      session.on("error", () => {}); // they are destroyed below
      for (let partition = 0; partition < partitions; partition++) {
        readSlowly(session, partition, (bytes) => {
          readBytes += bytes;
        });
      }
    }
    await sleep(seconds * 1_000);
    console.log(`${await resident()} MiB after ${seconds} s, in which ${Math.round(readBytes / MIB)} MiB were read`);
    for (const session of sessions) session.destroy();
    let waited = 0;
    for (const after of SECONDS_AFTER) {
      await sleep((after - waited) * 1_000);
      waited = after;
      console.log(`${await resident()} MiB ${after} s after the readers have left`);
    }
    clearInterval(sampling);
    console.log(`${most} MiB at most`);
  } finally {
    await server.stop();
  }
}

function readSlowly(session: ClientHttp2Session, partition: number, took: (bytes: number) => void): void {
  const stream = consumeStream(session, partition);
  stream.on("error", () => {});
  stream.on("data", (data: Buffer) => {
    took(data.length);
    stream.pause();
    setTimeout(() => stream.resume(), pauseMs);
  });
}
