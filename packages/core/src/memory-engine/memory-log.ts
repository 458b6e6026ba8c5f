/** A partition's log in memory, opened by one engine. */
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  batchesToAppend,
  ClosedError,
  CorruptPartitionError,
  InvalidArgumentError,
  type LogStoreError,
  OffsetOutOfRangeError,
  type RecordBatch,
} from "@logstore/codec";
import type { Durability, Position, TopicConfig } from "@logstore/protocol";
import { checkExpectedOffset } from "../engine/append/assign-offsets.js";
import { AppendCheck } from "../engine/append/check-append.js";
import { checkDurability } from "../engine/append/check-durability.js";
import type { Appended, AppendOptions, Chunk, Gap, LogReader, PartitionLog } from "../engine/partition-log.js";
import type { LogOffsets } from "../engine/read/log-offsets.js";
import { checkedPosition } from "../engine/read/position.js";
import { waitBeyond } from "../engine/read/wait-beyond.js";
import type { MemoryPartition } from "./memory-partition.js";
import { MemoryReader } from "./memory-reader.js";

/** Memory does not survive a crash, so that only the weakest durability is offered. */
export const MEMORY_DURABILITIES = ["written"] as const satisfies readonly Durability[];

/** The options in effect for a log. They may be altered at any time. */
export interface MemoryConfig extends TopicConfig {
  readonly maxBatchBytes: number;
}

export class MemoryLog implements PartitionLog {
  readonly gaps: readonly Gap[] = [];
  readonly damage: LogStoreError | undefined;
  readonly failure: LogStoreError | undefined;
  readonly #records: MemoryPartition;
  readonly #configOf: () => MemoryConfig;
  readonly #healthChanged: () => void;
  readonly #check = new AppendCheck(() => {});
  #appending: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #knownDamage: LogStoreError | undefined;

  constructor(records: MemoryPartition, configOf: () => MemoryConfig, healthChanged = () => {}) {
    this.#records = records;
    this.#configOf = configOf;
    this.#healthChanged = healthChanged;
  }

  get knownDamage(): LogStoreError | undefined {
    return this.#knownDamage;
  }

  get partition(): number {
    return this.#records.partition;
  }

  get offsets(): LogOffsets {
    return this.#records.offsets;
  }

  get knownEnd(): number {
    return this.offsets.logEnd;
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#records.isDeleted;
  }

  async appendBatches(bytes: Uint8Array, { durability, expectedOffset }: AppendOptions = {}): Promise<Appended> {
    this.#checkOpen();
    if (durability !== undefined) checkDurability(durability, MEMORY_DURABILITIES);
    checkExpectedOffset(expectedOffset);
    const { maxBatchBytes } = this.#configOf();
    const batches = batchesToAppend(bytes, { maxBatchBytes, maxRecordsBytes: Math.max(maxBatchBytes, 2 ** 26) });
    const appended = this.#append(batches, bytes.length, expectedOffset);
    this.#appending = Promise.allSettled([this.#appending, appended]).then(() => {}); // keeps no results
    return appended;
  }

  async #append(
    batches: readonly RecordBatch[],
    byteLength: number,
    expectedOffset: number | undefined,
  ): Promise<Appended> {
    const appended = await this.#check.check(batches, byteLength, () => {
      if (this.#records.isDeleted) throw this.#closedError();
      return this.#records.append(batches, expectedOffset);
    });
    this.#records.retain(this.#configOf());
    await nextTurn(); // a loop that only awaits its appends would never let a timer run
    return appended;
  }

  reader(offset: number): LogReader {
    return new MemoryReader(this, offset);
  }

  /** The batches from the one of `offset` on, oldest first. */
  batchesFrom(offset: number): Iterable<RecordBatch> {
    return this.#records.batchesFrom(offset);
  }

  async resolve(given: Position): Promise<number> {
    const position = checkedPosition(given);
    this.#checkOpen();
    const { logStart, highWatermark } = this.offsets;
    if (typeof position === "number") return position;
    if (position === "earliest") return logStart;
    if (position === "latest") return highWatermark;
    const found = this.#records.batchAt(position.time);
    return found === undefined ? highWatermark : Math.max(found.baseOffset, logStart);
  }

  async appendTimeAt(offset: number): Promise<number | undefined> {
    for (const { appendTime } of this.batchesFrom(offset)) return appendTime;
    return undefined;
  }

  waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    return waitBeyond(this.offsets, offset, () => this.isClosed, signal, timeoutMs);
  }

  /** Nothing to update: the offsets are those of the shared records. */
  refresh(): undefined {
    return undefined;
  }

  async deleteRecords(offset: number): Promise<void> {
    this.#checkOpen();
    const { partition, offsets } = this;
    if (!(Number.isSafeInteger(offset) && offset >= 0)) throw new InvalidArgumentError(`${offset} is not an offset`);
    if (offset > offsets.highWatermark) {
      const expected = offsets.highWatermark;
      throw new OffsetOutOfRangeError(`partition ${partition} ends at offset ${expected}`, {
        partition,
        offset,
        expected,
      });
    }
    this.#records.deleteBefore(offset);
  }

  async applyRetention(): Promise<void> {
    this.#records.retain(this.#configOf());
  }

  noteCorrupt({ baseOffset: offset }: RecordBatch, _chunk: Chunk, cause: Error): LogStoreError {
    const { partition } = this;
    const what = `partition ${partition} is damaged at offset ${offset}`;
    const error = new CorruptPartitionError(what, { partition, offset }, { cause });
    this.#knownDamage ??= error;
    this.#healthChanged();
    return error;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.offsets.wakeAll();
    await this.#appending;
  }

  #checkOpen(): void {
    if (this.isClosed) throw this.#closedError();
  }

  #closedError(): ClosedError {
    return new ClosedError(`partition ${this.partition} is closed`, { partition: this.partition });
  }
}
