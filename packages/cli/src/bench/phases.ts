/** The phases of a benchmark: sending records, and reading them back. */
import { setTimeout as delay } from "node:timers/promises";
import type { LogClient, Producer, ProducerOptions, Reader } from "@logstore/client";
import { CliError } from "../errors/cli-error.js";
import { Latencies, type Percentiles } from "./latencies.js";

export interface BenchRequest {
  readonly client: LogClient;
  readonly topic: string;
  readonly records: number;
  readonly valueBytes: number;
  /** Records due per second; undefined for as many as possible. */
  readonly rate: number | undefined;
  readonly producer: ProducerOptions;
  readonly signal: AbortSignal;
  /** Time in ms without a record after which a reader that lacks some has failed. Default 10 s. */
  readonly readPatienceMs?: number;
  readonly onProgress: (records: number) => void;
}

export interface PhaseResult {
  readonly phase: "produce" | "consume";
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
  /** Time from when a record was due until its acknowledgement. */
  readonly latency?: Percentiles | undefined;
  /** Time from when a record was due until a reader received it. */
  readonly endToEnd?: Percentiles | undefined;
}

/** A value begins with the time at which its record is due, as text. */
const DUE_BYTES = 16;
/** Interval at which due records are sent, in ms. */
const TICK_MS = 5;
/** Without a rate, the latency of every 64th record is measured. */
const SAMPLE_EVERY = 64;
const SENDS_BETWEEN_WAITS = 256;

/**
 * With a rate the loop is open: the latency of a record that is sent late counts from when it was
 * due, so that a stall of the log appears in the latencies of all records that it delayed.
 */
export async function produce(request: BenchRequest): Promise<PhaseResult> {
  const { client, topic, records, rate, signal, readPatienceMs = 10_000 } = request;
  const acks = new Latencies();
  const ends = new Latencies();
  const reading = rate === undefined ? undefined : await TailReader.begin(client, topic, records, ends);
  const producer = client.producer(topic, request.producer);
  const begun = performance.now();
  try {
    if (rate === undefined) await sendAll(request, producer, acks);
    else await sendAtRate(request, producer, acks, rate);
    await producer.flush();
    const ms = performance.now() - begun;
    await reading?.done(readPatienceMs, signal);
    const bytes = records * request.valueBytes;
    return { phase: "produce", records, bytes, ms, latency: acks.percentiles, endToEnd: ends.percentiles };
  } finally {
    await Promise.all([producer.close(), reading?.close()]);
  }
}

async function sendAll(request: BenchRequest, producer: Producer, acks: Latencies): Promise<void> {
  const { records, signal, onProgress } = request;
  const failure = new FirstFailure();
  for (let i = 0; i < records; i++) {
    const sending = producer.send(recordOf(request, i, performance.now()));
    const sent = i % SAMPLE_EVERY === 0 ? performance.now() : undefined;
    sending.then(sent === undefined ? undefined : () => acks.add(performance.now() - sent), failure.note);
    if (i % SENDS_BETWEEN_WAITS !== 0) continue;
    await producer.ready();
    signal.throwIfAborted();
    failure.check();
    onProgress(i);
  }
  await producer.flush();
  failure.check();
}

async function sendAtRate(request: BenchRequest, producer: Producer, acks: Latencies, rate: number): Promise<void> {
  const { records, signal, onProgress } = request;
  const failure = new FirstFailure();
  const begun = performance.now();
  for (let i = 0; i < records; ) {
    const now = performance.now();
    for (let due = begun + (i * 1000) / rate; i < records && due <= now; due = begun + (++i * 1000) / rate) {
      const dueAt = due;
      producer.send(recordOf(request, i, dueAt)).then(() => acks.add(performance.now() - dueAt), failure.note);
    }
    failure.check();
    onProgress(i);
    await delay(TICK_MS, undefined, { signal });
  }
  await producer.flush();
  failure.check();
}

function recordOf({ valueBytes }: BenchRequest, i: number, due: number) {
  const value = Buffer.alloc(valueBytes, ".");
  value.write(due.toFixed(3).padStart(DUE_BYTES), "latin1");
  return { key: `key-${i % 10_000}`, value };
}

/** Size of the smallest value that can contain the time. */
export const MIN_VALUE_BYTES = DUE_BYTES;

class FirstFailure {
  #failure: { readonly error: unknown } | undefined;

  readonly note = (error: unknown): void => {
    this.#failure ??= { error };
  };

  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Reads the records appended from now on, and measures their latencies. */
class TailReader {
  readonly #reader: Reader;
  readonly #records: number;
  readonly #reading: Promise<void>;
  #received = 0;

  private constructor(reader: Reader, records: number, ends: Latencies) {
    this.#reader = reader;
    this.#records = records;
    this.#reading = this.#read(ends);
    this.#reading.catch(() => {}); // awaited by `done`
  }

  /** Resolves when the positions are known: the first record may be sent. */
  static async begin(client: LogClient, topic: string, records: number, ends: Latencies): Promise<TailReader> {
    const { partitions } = await client.describeTopic(topic);
    const reader = client.reader({
      assign: { [topic]: partitions.map(({ partition }) => partition) },
      from: { [topic]: Object.fromEntries(partitions.map((each) => [each.partition, each.highWatermark])) },
    });
    return new TailReader(reader, records, ends);
  }

  async #read(ends: Latencies): Promise<void> {
    for await (const { value } of this.#reader) {
      const due = Number(Buffer.from(value.buffer, value.byteOffset, DUE_BYTES).toString("latin1"));
      ends.add(performance.now() - due);
      if (++this.#received === this.#records) return;
    }
  }

  /**
   * @throws CliError if no more records arrive although some are missing; the reason of `signal`
   */
  async done(patienceMs: number, signal: AbortSignal): Promise<void> {
    for (let before = -1; this.#received < this.#records; ) {
      if (before === this.#received) {
        const missing = `the reader received ${this.#received} of ${this.#records} records`;
        throw new CliError("FAILED", `${missing}, and no more within ${patienceMs / 1000} s`, {
          hint: "the end-to-end latency cannot be measured; logstore verify checks the records on disk",
        });
      }
      before = this.#received;
      const waiting = new AbortController();
      const patience = delay(patienceMs, undefined, { signal: AbortSignal.any([signal, waiting.signal]) });
      await Promise.race([this.#reading, patience]).finally(() => waiting.abort());
    }
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

/** Reads the topic from its beginning to its end. */
export async function consume({ client, topic, signal, onProgress }: BenchRequest): Promise<PhaseResult> {
  const begun = performance.now();
  let records = 0;
  let bytes = 0;
  await using reader = client.reader({ topics: [topic], until: "latest", signal });
  for await (const { value } of reader) {
    bytes += value.length;
    if (++records % SENDS_BETWEEN_WAITS === 0) onProgress(records);
  }
  return { phase: "consume", records, bytes, ms: performance.now() - begun };
}
