/**
 * The latency from append to delivery: the producer sends single records at a fixed rate, whatever
 * happens to earlier ones, and the time of each counts from when it was due, so that a stall counts
 * for all records that wait behind it.
 */
import { connect, type LogClient } from "@logstore/client";
import { ServerProcess } from "../../processes/server-process.ts";
import { figure, type Result } from "../../statistics/result.ts";
import { percentile } from "../../statistics/spread.ts";

const PER_SECOND = 10_000;
const SECONDS = 8;
/** Warm-up: the first seconds are not counted. */
const WARM_UP_SECONDS = 3;

export async function tailLatency(directory: string): Promise<Result[]> {
  const server = await ServerProcess.start(directory);
  const client = connect(server.address);
  try {
    const results: Result[] = [];
    for (const durability of ["written", "flushed"] as const) {
      const times = await deliveryTimes(client, durability);
      const name = `append → delivery, ${PER_SECOND.toLocaleString("en")} records/s, ${durability}`;
      results.push(
        figure({ title: `${name}: p50`, unit: "ms", goal: { atMost: 1 } }, [percentile(times, 0.5)]),
        figure({ title: `${name}: p99`, unit: "ms", goal: { atMost: 5 } }, [percentile(times, 0.99)]),
      );
    }
    return results;
  } finally {
    await client.close();
    await server.stop();
  }
}

/** In ms. */
async function deliveryTimes(client: LogClient, durability: "written" | "flushed"): Promise<number[]> {
  await client.createTopic(durability, { partitions: 1 });
  const producer = client.producer(durability, { durability });
  const count = PER_SECOND * SECONDS;
  const reader = client.reader({ assign: { [durability]: [0] }, until: count });
  const times: number[] = [];
  const intervalMs = 1_000 / PER_SECOND;
  await producer.send({ value: new Uint8Array(8) }); // opens the connection
  const start = performance.now() + 100;
  const sending = sendAtRate(producer, count - 1, start, intervalMs);
  for await (const { value, offset } of reader) {
    const dueAt = new DataView(value.buffer, value.byteOffset).getFloat64(0);
    if (offset > PER_SECOND * WARM_UP_SECONDS) times.push(performance.now() - dueAt);
  }
  await sending;
  await producer.close();
  return times;
}

/**
 * Timers are too coarse for ten records per millisecond: the event loop spins and sends whatever is
 * due.
 */
async function sendAtRate(
  producer: { send(record: { value: Uint8Array }): Promise<unknown> },
  count: number,
  start: number,
  intervalMs: number,
): Promise<void> {
  let last: Promise<unknown> | undefined;
  for (let sent = 0; sent < count; ) {
    await new Promise((resolve) => setImmediate(resolve));
    for (; sent < count && start + sent * intervalMs <= performance.now(); sent++) {
      const value = new Uint8Array(100);
      new DataView(value.buffer).setFloat64(0, start + sent * intervalMs);
      last = producer.send({ value });
    }
  }
  await last;
}
