/**
 * Latencies at a fixed rate: each value is sent when it is due, whatever happened to the earlier
 * ones, and its time counts from when it was due, so that a stall counts for all that wait behind
 * it.
 */
import { createHistogram } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveTopic, LogConnection } from "../contestants/served.ts";

export interface Load {
  readonly topic: string;
  readonly perSecond: number;
  readonly ms: number;
  /** Before `ms`; not counted. */
  readonly warmUpMs: number;
  readonly valueBytes: number;
}

/** In ms, from when a value was due until the consumer had it. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const NS_PER_MS = 1e6;
const LEAD_MS = 100;
const MOST_DELAY_MS = 20_000;

export async function openLoop(connection: LogConnection, load: Load): Promise<Latency> {
  if (connection.live === undefined) throw new Error("it has no live topics");
  const live = await connection.live(load.topic);
  try {
    return await measure(live, load);
  } finally {
    await live.close();
  }
}

async function measure(live: LiveTopic, { perSecond, ms, warmUpMs, valueBytes }: Load): Promise<Latency> {
  const intervalMs = 1_000 / perSecond;
  const notCounted = Math.round((perSecond * warmUpMs) / 1_000);
  const count = notCounted + Math.round((perSecond * ms) / 1_000);
  const histogram = createHistogram({ figures: 3 });
  const { promise: received, resolve, reject } = Promise.withResolvers<void>();
  let start = Number.POSITIVE_INFINITY;
  let expected = 0;
  const opened = Promise.withResolvers<void>();
  const use = (value: Uint8Array) => {
    const sequence = new DataView(value.buffer, value.byteOffset).getUint32(0);
    if (sequence === OPENING) return opened.resolve();
    if (sequence !== expected++) reject(new Error(`value ${sequence} came where ${expected - 1} was due`));
    if (sequence >= notCounted) {
      const delay = performance.now() - (start + sequence * intervalMs);
      histogram.record(Math.max(1, Math.round(delay * NS_PER_MS)));
    }
    if (expected === count) resolve();
  };
  await live.tail(use);
  live.send(sequenced(OPENING, valueBytes)); // opens what is opened with the first value
  await live.flush();
  await withinMs(opened.promise, MOST_DELAY_MS);
  start = performance.now() + LEAD_MS;
  await sendWhenDue(live, { count, start, intervalMs, valueBytes });
  await withinMs(received, MOST_DELAY_MS);
  const at = (share: number) => histogram.percentile(share) / NS_PER_MS;
  return { p50: at(50), p99: at(99), p999: at(99.9), max: histogram.max / NS_PER_MS };
}

const OPENING = 0xffff_ffff;

interface Schedule {
  readonly count: number;
  readonly start: number;
  readonly intervalMs: number;
  readonly valueBytes: number;
}

/**
 * Timers are too coarse for ten values per millisecond: the event loop spins and sends whatever is
 * due.
 */
async function sendWhenDue(live: LiveTopic, { count, start, intervalMs, valueBytes }: Schedule): Promise<void> {
  for (let sent = 0; sent < count; ) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now();
    for (; sent < count && start + sent * intervalMs <= now; sent++) live.send(sequenced(sent, valueBytes));
  }
  await live.flush();
}

function sequenced(sequence: number, valueBytes: number): Buffer {
  const value = Buffer.alloc(valueBytes, "v");
  value.writeUInt32BE(sequence);
  return value;
}

async function withinMs(promise: Promise<void>, ms: number): Promise<void> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`it does not keep up: values are more than ${ms} ms late`);
  });
  late.catch(() => {});
  await Promise.race([promise, late]).finally(() => over.abort());
}
