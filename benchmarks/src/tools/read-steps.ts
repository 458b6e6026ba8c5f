/**
 * The time of each step of reading records of 100 bytes, ns a record. Each figure is the minimum of
 * many short runs, because other load only ever adds time. Differences between rows give the time
 * of one step.
 *
 *   node src/tools/read-steps.ts --rounds 400 --key-bytes 10
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { json, text } from "@logstore/client";
import { frameBatches, RecordBatch, RecordBatchBuilder, type RecordCursor } from "@logstore/codec";
import { percentile } from "../statistics/spread.ts";

const BATCHES = 5;
const BATCH_RECORDS = 1_000;
const VALUE_BYTES = 100;
const FRAME_BYTES = 16 * 1024;

const { values: flags } = parseArgs({
  options: { rounds: { type: "string", default: "400" }, "key-bytes": { type: "string", default: "0" } },
});

const stored = Buffer.concat(Array.from({ length: BATCHES }, (_, i) => acceptedBatch(i * BATCH_RECORDS)));
const batches = [...frameBatches(stored)];
const frames = Array.from({ length: Math.ceil(stored.length / FRAME_BYTES) }, (_, i) =>
  stored.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
);
const ring: unknown[] = new Array(1_024).fill(undefined);
let used = 0;

const steps: Record<string, (file: number) => void | Promise<void>> = {
  "read the file into a new buffer": (file) =>
    void readSync(file, Buffer.allocUnsafeSlow(stored.length), { position: 0 }),
  "join HTTP/2's frames of 16 KiB": () => use(Buffer.concat(frames, stored.length)),
  "slice the buffer, for comparison": () => {
    for (let at = 0; at + VALUE_BYTES <= stored.length; at += VALUE_BYTES) use(stored.subarray(at, at + VALUE_BYTES));
  },
  "check the headers": () => use([...frameBatches(stored)]),
  "verify the checksum": () => {
    for (const batch of batches) batch.verify();
  },
  "walk over the records": () => each((cursor) => cursor.offset),
  "… and view the values": () => each((cursor) => cursor.value),
  "… as text": () => each((cursor) => text().deserialize(cursor.value)),
  "… as JSON": () => each((cursor) => json().deserialize(cursor.value)),
  "… of record objects": () => each((cursor) => cursor.record.value),
  "… of record objects in chunks": () => {
    for (const batch of batches) {
      const chunk = [];
      for (const cursor = batch.cursor(); cursor.next(); ) chunk.push(cursor.record);
      for (const { value } of chunk) use(value);
    }
  },
  "… of record objects by `for await`": async () => {
    for await (const { value } of new OneByOne()) use(value);
  },
};

/** The least that an async iterator can do for each record. */
class OneByOne {
  #batch = 0;
  #cursor = batches[0]!.cursor();

  next() {
    if (this.#cursor.next()) return Promise.resolve({ value: this.#cursor.record, done: false as const });
    return this.#nextBatch();
  }

  async #nextBatch(): Promise<IteratorResult<RecordCursor["record"], undefined>> {
    const batch = batches[++this.#batch];
    if (batch === undefined) return { value: undefined, done: true };
    this.#cursor = batch.cursor();
    return this.next();
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}

const directory = mkdtempSync(join(tmpdir(), "logstore-read-steps-"));
const file = openSync(join(directory, "batches"), "w+");
try {
  writeSync(file, stored);
  const times = new Map(Object.keys(steps).map((step) => [step, [] as number[]]));
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [step, run] of Object.entries(steps)) {
      const begun = performance.now();
      await run(file);
      times.get(step)!.push(((performance.now() - begun) * 1e6) / (BATCHES * BATCH_RECORDS));
    }
  }
  console.log("ns a record: minimum, 10th percentile");
  for (const [step, runs] of times) {
    console.log(
      step.padEnd(40),
      percentile(runs, 0).toFixed(0).padStart(6),
      percentile(runs, 0.1).toFixed(0).padStart(6),
    );
  }
} finally {
  closeSync(file);
  rmSync(directory, { recursive: true });
}

function each(read: (cursor: RecordCursor) => unknown): void {
  for (const batch of batches) for (const cursor = batch.cursor(); cursor.next(); ) use(read(cursor));
}

/** Keeps what was read, so that it is not optimized away. */
function use(what: unknown): void {
  ring[used++ & 1_023] = what;
}

function acceptedBatch(baseOffset: number): Uint8Array {
  const builder = new RecordBatchBuilder({ targetBytes: 2 * BATCH_RECORDS * VALUE_BYTES });
  const key = Number(flags["key-bytes"]) > 0 ? Buffer.alloc(Number(flags["key-bytes"]), "k") : null;
  for (let i = 0; i < BATCH_RECORDS; i++) {
    const value = JSON.stringify({ path: `/products/${i}`, status: 200 }).padEnd(VALUE_BYTES);
    builder.append(key, value, 1_700_000_000_000 + i);
  }
  const half = { baseOffset, appendTime: 1_700_000_000_000, flushedUpTo: 0 };
  return RecordBatch.parse(builder.seal()).accept(half).bytes;
}
