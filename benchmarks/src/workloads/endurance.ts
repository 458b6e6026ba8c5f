/**
 * A server under load for a long time, with retention: producer and consumer go on at a steady rate
 * while old segments are deleted. Linux only.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type LogClient } from "@logstore/client";
import { Sink, Source } from "../contestants/values.ts";
import { ServerProcess } from "../processes/server-process.ts";
import { progress } from "../reports/progress.ts";
import type { Settings } from "../settings.ts";
import { figure, type Result } from "../statistics/result.ts";

const VALUE_BYTES = 100;
const BATCH = 1_000;
const RETENTION_BYTES = 512 * 1024 * 1024;
const SEGMENT_BYTES = 64 * 1024 * 1024;
/** The consumer may lag by as much as the log keeps, and no further. */
const MOST_LAG = 1_000_000;
const SAMPLES = 60;
const MB = 1e6;

interface Sample {
  readonly recordsPerSecond: number;
  readonly serverBytes: number;
  readonly diskBytes: number;
}

export async function endurance({ directory, enduranceMinutes }: Settings): Promise<Result[]> {
  const data = join(directory, "data");
  const server = await ServerProcess.start(data);
  const client = connect(server.address);
  try {
    const limits = { retentionBytes: RETENTION_BYTES, segmentBytes: SEGMENT_BYTES, durability: "written" } as const;
    await client.createTopic("endurance", { partitions: 1, ...limits });
    const samples: Sample[] = [];
    const sink = new Sink(VALUE_BYTES, true);
    const reader = client.reader({ assign: { endurance: [0] }, from: "earliest" });
    const consuming = (async () => {
      for await (const { value } of reader) sink.use(value);
    })();
    let isOver = false;
    const producing = produce(client, sink, () => isOver);
    const running = Promise.all([consuming, producing]); // either fails the run
    const sampleMs = (enduranceMinutes * 60_000) / SAMPLES;
    for (let i = 0; i < SAMPLES; i++) {
      const before = sink.seen;
      await Promise.race([sleep(sampleMs), running]);
      samples.push({
        recordsPerSecond: ((sink.seen - before) / sampleMs) * 1_000,
        serverBytes: await server.residentBytes(),
        diskBytes: await bytesIn(data),
      });
      progress(`${i + 1} of ${SAMPLES}: ${Math.round(samples.at(-1)!.recordsPerSecond)} records/s`);
    }
    isOver = true;
    await producing;
    await reader.close();
    await consuming;
    return resultsOf(samples);
  } finally {
    await client.close();
    await server.stop();
  }
}

async function produce(client: LogClient, sink: Sink, isOver: () => boolean): Promise<void> {
  await using producer = client.producer("endurance");
  const source = new Source({ count: Number.MAX_SAFE_INTEGER, valueBytes: VALUE_BYTES, batch: BATCH });
  let sent = 0;
  while (!isOver()) {
    const { records } = source.next()!;
    await producer.sendMany(records);
    sent += records.length;
    while (sent - sink.seen > MOST_LAG) await sleep(1);
  }
}

/** The first sample warms up. */
function resultsOf([, ...samples]: readonly Sample[]): Result[] {
  const of = (what: keyof Sample, unit: number) => samples.map((sample) => sample[what] / unit);
  const rates = of("recordsPerSecond", 1);
  const memory = of("serverBytes", MB);
  const quarter = Math.floor(samples.length / 4);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const disk = { atMost: (RETENTION_BYTES + 2 * SEGMENT_BYTES) / MB };
  return [
    figure({ title: "Endurance: produced and consumed", unit: "records/s" }, rates),
    figure({ title: "Endurance: last quarter ÷ first quarter", unit: "", goal: { atLeast: 0.9 } }, [
      mean(rates.slice(-quarter)) / mean(rates.slice(0, quarter)),
    ]),
    figure({ title: "Endurance: memory of the server", unit: "MB" }, memory),
    figure({ title: "Endurance: memory, last quarter − first quarter", unit: "MB", goal: { atMost: 32 } }, [
      mean(memory.slice(-quarter)) - mean(memory.slice(0, quarter)),
    ]),
    figure({ title: "Endurance: bytes on disk", unit: "MB", goal: disk }, of("diskBytes", MB)),
  ];
}

async function bytesIn(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // Retention may have deleted it meanwhile.
    bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}
