import { InvalidValueError, sleep } from "@logstore/codec";
import { textOf } from "../common/thrown.js";
import type { GroupReader } from "../group/group-reader.js";
import type { InFlight } from "../group/in-flight.js";
import type { OwnedPartition } from "../group/owned-partition.js";
import { RecordFormat } from "../reader/consumer-record.js";
import { RecordSource } from "../reader/record-source.js";
import { HeldRecords } from "./held-records.js";
import { type Park, parkWithRetries } from "./park.js";
import { copyOf, PartitionWork, type RawRecord, type Task } from "./partition-work.js";
import { type RunLimits, type RunOptions, runLimits, tryAgainMs } from "./run-options.js";
import { Slots } from "./slots.js";

/** Calls the handler once. Resolves to its failure, or to undefined. */
type Handle = (task: Task, attempt: number) => Promise<HandlerFailure | undefined>;

interface HandlerFailure {
  readonly error: unknown;
  /** Whether a retry cannot succeed. */
  readonly isFinal: boolean;
}

/**
 * Calls a handler for each record: records of one key in order, different keys and records without
 * a key in parallel. While a failed record is retried, only records of its key wait. Reading stops
 * at the limits of records in memory.
 */
export class Runner<T, K> implements InFlight {
  readonly #format: RecordFormat<T, K>;
  readonly #options: RunOptions<T, K>;
  readonly #limits: RunLimits;
  readonly #park: Park | undefined;
  readonly #slots: Slots<Handle, Task>;
  readonly #work = new Map<OwnedPartition, PartitionWork>();
  readonly #held: HeldRecords;
  #fail: (error: unknown) => void = () => {};

  /** @param park undefined: a record that fails every attempt fails the run */
  constructor(format: RecordFormat<T, K>, options: RunOptions<T, K>, park: Park | undefined) {
    this.#format = format;
    this.#options = options;
    this.#limits = runLimits(options);
    this.#park = park;
    this.#held = new HeldRecords(this.#limits);
    this.#slots = new Slots(this.#limits.concurrency, () => this.#makeHandle());
  }

  /** Resolves when the reading has ended and every handler that was called is done. */
  async run(reader: GroupReader<T, K>): Promise<void> {
    const { merge } = reader;
    const source = new RecordSource(merge, new RecordFormat<Uint8Array, Uint8Array>({}));
    this.#fail = (error) => merge.fail(error);
    const end = () => merge.end();
    const { signal } = this.#options;
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
    try {
      do await this.#takeIn(source);
      while (await merge.wait());
    } finally {
      signal?.removeEventListener("abort", end);
      merge.end();
      await reader.leave();
    }
  }

  isBusyWith(partition: OwnedPartition): boolean {
    return this.#work.get(partition)?.isBusy === true;
  }

  async drained(partition: OwnedPartition): Promise<void> {
    await this.#work.get(partition)?.drained();
    this.#work.delete(partition);
  }

  stop(partition: OwnedPartition): void {
    this.#work.get(partition)?.stop();
  }

  forget(partition: OwnedPartition): void {
    this.#work.get(partition)?.forget();
  }

  pause(partition: OwnedPartition): void {
    const work = this.#workOf(partition);
    if (work.resumed !== undefined) return;
    work.pause();
    this.#held.leaveOut(work);
  }

  resume(partition: OwnedPartition): void {
    const work = this.#work.get(partition);
    if (work?.resumed === undefined) return;
    work.resume();
    this.#held.include(work);
  }

  finish(): void {
    this.#held.stopWaiting();
    for (const work of this.#work.values()) work.finish();
  }

  abandon(): void {
    for (const work of this.#work.values()) work.abandon();
  }

  /** The offset of the partition's next record to be delivered. */
  position(partition: OwnedPartition): number | undefined {
    return this.#work.get(partition)?.firstUnbegun ?? partition.position;
  }

  /**
   * Counts the record of the calling handler as processed; other handlers' records are not
   * affected.
   */
  count(): void {
    const task = this.#slots.currentTask;
    task?.partition.done(task);
  }

  /** Stops waiting for the calling handler, which waits for the end of the run. */
  release(): void {
    const task = this.#slots.currentTask;
    if (task === undefined || task.isReleased) return;
    task.isReleased = true;
    task.partition.ended();
  }

  /** Takes in every record that is available, waiting at the limits. */
  async #takeIn(source: RecordSource<Uint8Array, Uint8Array>): Promise<void> {
    for (;;) {
      if (this.#held.isFull) await this.#held.room();
      const record = source.pull() as RawRecord | undefined; // a format of bytes is never async
      if (record === undefined) return;
      const owned = source.state as OwnedPartition;
      const work = this.#workOf(owned);
      const { task, lane, isFirst } = work.add(record);
      this.#held.add(work, 1, task.bytes);
      if (isFirst) this.#runLane(work, task, lane).catch(this.#fail);
    }
  }

  #workOf(owned: OwnedPartition): PartitionWork {
    let work = this.#work.get(owned);
    if (work === undefined) {
      work = new PartitionWork(owned);
      this.#work.set(owned, work);
    }
    return work;
  }

  async #runLane(work: PartitionWork, first: Task, lane: string | undefined): Promise<void> {
    for (let task: Task | undefined = first; task !== undefined; task = work.next(lane)) {
      try {
        await this.#process(task);
      } finally {
        this.#held.add(work, -1, -task.bytes);
      }
    }
  }

  async #process(task: Task): Promise<void> {
    const { partition } = task;
    for (let attempt = 1; ; attempt++) {
      let slot = await this.#slots.acquire();
      while (partition.resumed !== undefined) {
        this.#slots.release(slot);
        await partition.resumed;
        slot = await this.#slots.acquire();
      }
      if (partition.stopped.aborted || task.use.aborted) return this.#slots.release(slot);
      partition.begun(task);
      slot.task = task;
      try {
        const failure = await slot.work(task, attempt);
        if (failure === undefined) return partition.done(task);
        const { error, isFinal } = failure;
        // The handler may have failed because its signal aborted.
        if (task.use.aborted || (task.signal.aborted && !isFinal)) return;
        if (isFinal || attempt >= this.#limits.attempts) {
          if (await this.#giveUp(task, error, attempt)) partition.done(task);
          return;
        }
      } finally {
        if (!task.isReleased) partition.ended();
        this.#slots.release(slot);
      }
      if (attempt === 1) task.record = copyOf(task.record);
      await sleep(tryAgainMs(this.#limits, attempt, Math.random()), AbortSignal.any([partition.stopped, task.use]));
    }
  }

  /**
   * Makes a separate function for each slot: its name on the stack identifies the handler that
   * calls `commit()` or `close()`.
   */
  #makeHandle(): Handle {
    return async ({ record, partition, signal }, attempt) => {
      try {
        const decoded = this.#format.decode(record, partition.owned);
        const whole = decoded instanceof Promise ? await decoded : decoded;
        await this.#options.eachRecord(whole, { attempt, signal });
        return undefined;
      } catch (error) {
        // A value that does not fit its schema will not fit it later.
        return { error, isFinal: isOwnDecodingError(error, record.offset) };
      }
    };
  }

  /** Parks a record. Resolves to false where another member is to process it instead. */
  #giveUp({ record, partition, use }: Task, error: unknown, attempts: number): Promise<boolean> {
    if (this.#park === undefined) throw error;
    const failure = { reason: textOf(error), attempts, topicId: partition.owned.topicId };
    return parkWithRetries(this.#park, record, failure, AbortSignal.any([partition.stopped, use]));
  }
}

/** Reading properties of a thrown value may throw, too. */
function isOwnDecodingError(error: unknown, offset: number): boolean {
  try {
    return error instanceof InvalidValueError && error.offset === offset;
  } catch {
    return false;
  }
}
