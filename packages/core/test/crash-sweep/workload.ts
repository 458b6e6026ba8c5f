/** A random workload of a store on a simulated disk, determined by a seed. */
import assert from "node:assert/strict";
import { RecordBatchBuilder } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import { LogStore, type LogStoreOptions } from "../../src/index.js";
import { type Call, Random, randomDelays, SimulatedDisk } from "../../src/testing/index.js";
import { checkLog, checkReport, DIRECTORY, type Survives } from "./check-recovered.js";
import type { SnapshotHistory } from "./check-snapshots.js";
import { PartitionHistory, type PartitionMoment, type SubmittedRecord } from "./history.js";
import { operations } from "./operations.js";

/** The middle of one mutating call of a workload. */
export interface Moment {
  readonly disk: SimulatedDisk;
  readonly partitions: readonly PartitionMoment[];
  /** Number of snapshots that were acknowledged or never will be. */
  readonly snapshots: number;
}

export interface WorkloadRun {
  readonly seed: number;
  readonly without: readonly string[];
  readonly options: LogStoreOptions;
  readonly moments: readonly Moment[];
  /** All snapshots of the workload. */
  readonly snapshots: readonly SnapshotHistory[];
}

/** Runs the workload of a seed, and copies the disk at each mutating call. */
export async function runWorkload(seed: number, without: readonly string[] = []): Promise<WorkloadRun> {
  const workload = new Workload(new Random(seed));
  await workload.run(Object.keys(operations).filter((name) => !without.includes(name)));
  const { options, moments, snapshots } = workload;
  return { seed, without, options, moments, snapshots };
}

export class Workload {
  readonly random: Random;
  readonly options: LogStoreOptions & { readonly partitions: number };
  readonly partitions: readonly PartitionHistory[];
  readonly moments: Moment[] = [];
  readonly snapshots: SnapshotHistory[] = [];
  disk: SimulatedDisk;
  store!: LogStore;
  /**
   * Lengths of values. With few different lengths, the bytes of one record exactly fit in place of
   * another.
   */
  readonly #lengths: readonly number[];
  /** How long calls to the disk take. */
  readonly #delays: ((call: Call) => number) | undefined;
  /** Whether writes are made at once. */
  readonly #writesNow: boolean;
  #isOpen = false;
  #pending: Promise<unknown>[] = [];
  #records = 0;

  constructor(random: Random) {
    this.random = random;
    this.options = {
      partitions: random.whole(1, 3),
      segmentBytes: random.oneOf([200, 600, 2000, 6000, 1_000_000]),
      compression: random.oneOf(["none", "none", "none", "zstd"]),
      retentionBytes: random.oneOf([undefined, undefined, undefined, 2000]),
      maxOpenFiles: random.oneOf([undefined, undefined, 1, 3]),
      tailCacheBytes: random.oneOf([undefined, 0, 1000]),
    };
    const lengths = [0, 1, 10, 30, 40, 400, 600, 1500];
    this.#lengths = random.chance(0.5) ? [random.oneOf(lengths)] : lengths;
    const isRetained = this.options.retentionBytes === undefined;
    this.partitions = Array.from({ length: this.options.partitions }, () => new PartitionHistory(isRetained));
    this.disk = new SimulatedDisk({ seed: random.seed() });
    if (random.chance(0.7)) this.#delays = randomDelays(new Random(random.seed()));
    this.#writesNow = random.chance(0.5);
  }

  async run(names: readonly string[]): Promise<void> {
    await this.open(this.disk);
    const weighted = names.flatMap((name) => Array<string>(operations[name]!.weight).fill(name));
    for (let step = this.random.whole(3, 12); step > 0; step--) {
      await operations[this.random.oneOf(weighted)]!.run(this);
      if (this.random.chance(0.6)) await this.settled();
    }
    await this.settled();
    if (this.random.chance(0.7)) await this.store.close();
    await this.#takeMoment(this.disk); // between two calls
    this.disk.stop();
  }

  /** Opens the store on a disk and checks what has survived. */
  async open(disk: SimulatedDisk, survives: Survives = "flushed"): Promise<void> {
    this.disk = disk;
    this.#isOpen = false;
    disk.onMutation = ({ kind }) =>
      disk.writesNow && kind === "write" ? this.#addMoment(disk) : this.#takeMoment(disk);
    disk.turnsOf = this.#delays;
    disk.writesNow = this.#writesNow;
    this.store = await LogStore.open(DIRECTORY, { ...this.options, storage: disk });
    checkReport(this.store, disk);
    for (const [partition, history] of this.partitions.entries()) {
      history.found(await checkLog(this.store, partition, history.moment(), survives));
    }
    this.#isOpen = true;
  }

  /** Closes the store and reopens it on the same machine. */
  async reopen(): Promise<void> {
    await this.settled();
    await this.store.close();
    for (const history of this.partitions) history.found(history.nextOffset);
    await this.open(this.disk);
  }

  /**
   * @param submit starts the append, behind all earlier ones; resolves to the offset after its
   * records
   */
  submit(
    partition: number,
    records: readonly SubmittedRecord[],
    submit: () => Promise<{ baseOffset: number; nextOffset: number; durability: Durability }>,
  ): void {
    const history = this.partitions[partition]!;
    const baseOffset = history.nextOffset;
    history.submit(records);
    this.expect(partition, baseOffset, submit());
  }

  /** Records the response of an append, if it arrives before the crash. */
  expect(
    partition: number,
    baseOffset: number,
    answer: Promise<{ baseOffset: number; nextOffset: number; durability: Durability }>,
  ): void {
    const history = this.partitions[partition]!;
    const { store } = this;
    this.#pending.push(
      answer.then((ack) => {
        assert.equal(ack.baseOffset, baseOffset, `acknowledged offset in partition ${partition}`);
        if (store === this.store) history.acknowledged(ack.nextOffset, ack.durability);
      }),
    );
  }

  /** Waits for all responses. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
    this.#pending = [];
  }

  /** Drops pending requests, whose callers get no response after a crash or a failure. */
  async abandoned(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    await Promise.allSettled(pending);
  }

  durability(): Durability {
    return this.random.oneOf(["flushed", "written"]);
  }

  partition(): number {
    return this.random.whole(0, this.options.partitions - 1);
  }

  /** Different from all others. */
  record(): SubmittedRecord {
    const { random } = this;
    const id = String(this.#records++).padStart(6, "0");
    const key = random.chance(0.5) ? null : Buffer.from(`k${random.whole(0, 9)}`);
    return { key, value: Buffer.from(id + "v".repeat(random.oneOf(this.#lengths))) };
  }

  records(most: number): SubmittedRecord[] {
    return Array.from({ length: this.random.whole(1, most) }, () => this.record());
  }

  /** The next batch of the partition's only producer. */
  seal(partition: number, records: readonly SubmittedRecord[]): Uint8Array {
    const builder = new RecordBatchBuilder();
    for (const { key, value } of records) builder.append(key, value, 1);
    const baseSequence = this.partitions[partition]!.nextSequence;
    return new Uint8Array(builder.seal({ producerId: 7, producerEpoch: 0, baseSequence }));
  }

  /**
   * Lets callers receive their responses first, so that a response that precedes the end of its
   * call is noticed.
   */
  async #takeMoment(disk: SimulatedDisk): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#addMoment(disk);
  }

  #addMoment(disk: SimulatedDisk): void {
    if (disk.isStopped) return;
    if (this.#isOpen) {
      for (const [i, history] of this.partitions.entries()) history.startsAt(this.store.partition(i).startOffset);
    }
    const snapshots = this.snapshots.filter((each) => each.partitions !== undefined).length;
    this.moments.push({ disk: disk.copy(), partitions: this.partitions.map((each) => each.moment()), snapshots });
  }
}
