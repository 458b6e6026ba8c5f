/**
 * The life of a broker in brief: created, written to concurrently, read, closed, reopened, killed,
 * opened with a torn tail, and closed. Whatever fails on the way, the workload records what was
 * acknowledged and which errors occurred, and continues as an application would.
 */
import { frameBatches } from "@logstore/codec";
import { Broker, type LogStore, LogStoreError, type RecordInput, type StorageFile } from "../../src/index.js";
import type { HookedStorage } from "../hooked-storage.js";
import { Random } from "../random.js";
import { sealed, text } from "../records.js";
import { InjectedError } from "./faults.js";
import { MortalProcess } from "./mortal-process.js";

export const PARTITIONS = 2;
const TOPIC = "t";

export interface Rejection {
  /** The operation: "open", "create", "append", … */
  readonly what: string;
  readonly partition?: number;
  readonly error: unknown;
}

export class Workload {
  /** For each partition the acknowledged values by offset. */
  readonly acked: Map<number, string>[] = Array.from({ length: PARTITIONS }, () => new Map());
  /** All values sent, acknowledged or not. */
  readonly sent = new Set<string>();
  readonly rejections: Rejection[] = [];
  /** Steps after which files stayed open that nobody would close. */
  readonly leaks: string[] = [];
  /** Violations of what must hold whatever fails. */
  readonly faulty: string[] = [];

  readonly #storage: HookedStorage;
  readonly #random: Random;
  readonly #segmentBytes: number;
  #process: MortalProcess;
  #broker: Broker | undefined;
  #values = 0;
  /** Next sequence number of each partition. */
  readonly #sequences = [0, 0];
  /** Partitions that refused an append because of a disk failure since the broker was opened. */
  readonly #failed = new Set<number>();

  constructor(storage: HookedStorage, seed: number) {
    this.#storage = storage;
    this.#process = new MortalProcess(storage);
    this.#random = new Random(seed);
    this.#segmentBytes = this.#random.oneOf([250, 500, 1000]);
    storage.time = 1_700_000_000_000;
  }

  async run(): Promise<void> {
    await this.#open();
    await this.#try("create", () => this.#broker?.createTopic({ topic: TOPIC, partitions: PARTITIONS }));
    for (let i = this.#random.whole(1, 3); i > 0; i--) await this.#appendSome();
    await this.#read();
    await this.#close();
    await this.#open();
    await this.#read();
    for (let i = this.#random.whole(1, 2); i > 0; i--) await this.#appendSome();
    await this.#kill();
    await this.#open();
    await this.#appendSome();
    await this.#read();
    await this.#close();
  }

  get #store(): LogStore | undefined {
    try {
      return this.#broker?.topic(TOPIC);
    } catch {
      return undefined; // it could not be created
    }
  }

  /** Tries twice, because a fault may be temporary. */
  async #open(): Promise<void> {
    this.#failed.clear();
    for (let i = 0; i < 2 && this.#broker === undefined; i++) {
      this.#process = new MortalProcess(this.#storage);
      const options = { storage: this.#process.storage, segmentBytes: this.#segmentBytes };
      this.#broker = await this.#try("open", () => Broker.open("data", options));
      if (this.#broker === undefined) this.#noteLeaks("open");
    }
  }

  async #close(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    await this.#try("close", () => broker?.close());
    this.#noteLeaks("close");
  }

  #noteLeaks(what: string): void {
    for (const path of this.#process.openFiles) this.leaks.push(`${what} leaves ${path.split("/").at(-1)} open`);
  }

  /**
   * A crash of the process, which leaves half a batch at the end of a log: over the preallocated
   * zeros, or after them.
   */
  async #kill(): Promise<void> {
    this.#process.kill();
    this.#broker = undefined;
    const { inner } = this.#storage;
    const topics = (await inner.list("data/topics")) ?? [];
    const directory = `data/topics/${topics[0]}/${this.#random.whole(0, PARTITIONS - 1)}`;
    const log = (await inner.list(directory))
      ?.filter((name) => name.endsWith(".log"))
      .sort()
      .at(-1);
    if (log === undefined) return;
    const file = await inner.openFile(`${directory}/${log}`, "write");
    const size = await file.size();
    const at = this.#random.chance(0.5) ? size : await endOfBatches(file, size);
    await file.write([sealed(["half of it"]).subarray(0, this.#random.whole(1, 80))], at);
    await file.close();
  }

  /**
   * Appends records one by one, several at once, and a producer's batch, to all partitions
   * concurrently.
   */
  async #appendSome(): Promise<void> {
    const random = this.#random;
    const appends: Promise<void>[] = [];
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let i = random.whole(1, 3); i > 0; i--) {
        const [value] = this.#newValues(1);
        const durability = random.oneOf(["flushed", "written"] as const);
        appends.push(
          this.#append(partition, [value!], async (store) => {
            return (await store.append(null, value!, { partition, durability, timestamp: 0 })).offset;
          }),
        );
      }
      const values = this.#newValues(random.whole(1, 4));
      const records: RecordInput[] = values.map((value) => ({ value, timestamp: 0 }));
      appends.push(
        this.#append(partition, values, async (store) => (await store.appendMany(partition, records)).offset),
      );
      const batch = this.#newValues(2);
      const stamp = { producerId: 7, producerEpoch: 0, baseSequence: this.#sequences[partition]! };
      this.#sequences[partition]! += batch.length;
      appends.push(
        this.#append(partition, batch, async () => {
          const request = { topic: TOPIC, partition, batches: sealed(batch, stamp) };
          return (await this.#broker!.produce(request)).baseOffset;
        }),
      );
    }
    await Promise.all(appends);
  }

  async #append(partition: number, values: string[], work: (store: LogStore) => Promise<number>): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    const failedBefore = this.#failed.has(partition);
    const first = await this.#try("append", () => work(store), partition);
    if (first === undefined) return;
    if (failedBefore) this.#note(`partition ${partition} took an append after it had failed`);
    for (const [i, value] of values.entries()) {
      if (this.acked[partition]!.has(first + i)) this.#note(`offset ${first + i} was acknowledged twice`);
      this.acked[partition]!.set(first + i, value);
    }
  }

  /** Everything acknowledged is there, and nothing that was not sent. */
  async #read(): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const store = this.#store;
      if (store === undefined) return;
      const read = await this.#try("read", () => readAll(store, partition), partition);
      if (read !== undefined) this.check(partition, read);
    }
  }

  check(partition: number, read: readonly (readonly [offset: number, value: string])[]): void {
    for (const [i, [offset, value]] of read.entries()) {
      if (offset !== i) this.#note(`partition ${partition} has offset ${offset} where ${i} is next`);
      if (!this.sent.has(value)) this.#note(`partition ${partition} has a value at ${offset} that nobody sent`);
      const acked = this.acked[partition]!.get(offset);
      if (acked !== undefined && acked !== value) this.#note(`partition ${partition} has another value at ${offset}`);
    }
    const missing = [...this.acked[partition]!.keys()].filter((offset) => offset >= read.length);
    if (missing.length > 0) this.#note(`partition ${partition} lacks offsets ${missing}, which were acknowledged`);
    const values = read.map(([, value]) => value);
    if (new Set(values).size !== values.length) this.#note(`partition ${partition} has a value twice`);
  }

  async #try<T>(what: string, work: () => Promise<T> | undefined, partition?: number): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.rejections.push({ what, error, ...(partition === undefined ? {} : { partition }) });
      const code = error instanceof LogStoreError ? error.code : undefined;
      if (what === "append" && partition !== undefined && code === "STORAGE_FAILED") this.#failed.add(partition);
      if (code === undefined && !(error instanceof InjectedError)) this.#note(`${what}: a foreign error: ${error}`);
      return undefined;
    }
  }

  #newValues(count: number): string[] {
    const values = Array.from(
      { length: count },
      () => `value ${this.#values++}${"…".repeat(this.#random.whole(0, 20))}`,
    );
    for (const value of values) this.sent.add(value);
    return values;
  }

  #note(what: string): void {
    this.faulty.push(what);
  }
}

async function endOfBatches(file: StorageFile, size: number): Promise<number> {
  const bytes = new Uint8Array(size);
  await file.read(bytes, 0);
  let end = 0;
  try {
    for (const { byteLength } of frameBatches(bytes)) end += byteLength;
  } catch {
    // Zeros, or the remains of a failed write.
  }
  return end;
}

export async function readAll(store: LogStore, partition: number): Promise<[offset: number, value: string][]> {
  const read: [number, string][] = [];
  for await (const { offset, value } of store.read(partition)) read.push([offset, text(value)!]);
  return read;
}
