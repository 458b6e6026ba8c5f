/** A partition's log as an array of batches. It is gone with the process. */
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
import { assignOffsets, checkExpectedOffset } from "../engine/append/assign-offsets.js";
import { AppendCheck } from "../engine/append/check-append.js";
import { checkDurability } from "../engine/append/check-durability.js";
import { ProducerState } from "../engine/append/producer-state.js";
import type { Appended, AppendOptions, Chunk, Gap, LogReader, PartitionLog } from "../engine/partition-log.js";
import { LogOffsets } from "../engine/read/log-offsets.js";
import { checkedPosition } from "../engine/read/position.js";
import { waitBeyond } from "../engine/read/wait-beyond.js";
import { MemoryReader } from "./memory-reader.js";

/** What is in force for a log. It may be altered at any time. */
export interface MemoryConfig extends TopicConfig {
  readonly maxBatchBytes: number;
}

export class MemoryLog implements PartitionLog {
  readonly partition: number;
  readonly offsets = new LogOffsets(0, 0);
  readonly gaps: readonly Gap[] = [];
  readonly damage: LogStoreError | undefined;
  readonly knownDamage: LogStoreError | undefined;
  readonly failure: LogStoreError | undefined;
  readonly #configOf: () => MemoryConfig;
  readonly #batches: RecordBatch[] = [];
  readonly #producers = new ProducerState();
  readonly #check = new AppendCheck(() => {});
  #lastAppendTime = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(partition: number, configOf: () => MemoryConfig) {
    this.partition = partition;
    this.#configOf = configOf;
  }

  get knownEnd(): number {
    return this.offsets.logEnd;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async appendBatches(bytes: Uint8Array, { durability, expectedOffset }: AppendOptions = {}): Promise<Appended> {
    this.#checkOpen();
    if (durability !== undefined) checkDurability(durability, MEMORY_DURABILITIES);
    checkExpectedOffset(expectedOffset);
    const { maxBatchBytes } = this.#configOf();
    const batches = batchesToAppend(bytes, { maxBatchBytes, maxRecordsBytes: Math.max(maxBatchBytes, 2 ** 26) });
    const checking = this.#check.check(batches, bytes.length);
    if (checking !== undefined) await checking;
    this.#checkOpen();
    const appended = this.#place(batches, expectedOffset);
    await nextTurn(); // a loop that only awaits its appends would never let a timer run
    return appended;
  }

  #place(batches: readonly RecordBatch[], expectedOffset: number | undefined): Appended {
    const { offsets, partition } = this;
    const appendTime = Math.max(Date.now(), this.#lastAppendTime);
    const place = { partition, producers: this.#producers, appendTime, flushedUpTo: 0 };
    const { accepted, logEnd, appended } = assignOffsets({ batches, expectedOffset }, offsets.logEnd, place);
    this.#producers.written();
    for (const batch of accepted) {
      this.#batches.push(batch);
      this.#bytes += batch.byteLength;
    }
    if (accepted.length > 0) this.#lastAppendTime = appendTime;
    offsets.wrote(logEnd);
    offsets.publish();
    void this.applyRetention();
    return { ...appended, durability: "written" };
  }

  reader(offset: number): LogReader {
    return new MemoryReader(this, offset);
  }

  /** The batches from the one of `offset` on, oldest first. */
  *batchesFrom(offset: number): Generator<RecordBatch, void> {
    for (let i = this.#indexOf((batch) => batch.nextOffset > offset); i < this.#batches.length; i++) {
      yield this.#batches[i]!;
    }
  }

  async resolve(given: Position): Promise<number> {
    const position = checkedPosition(given);
    const { logStart, highWatermark } = this.offsets;
    if (typeof position === "number") return position;
    if (position === "earliest") return logStart;
    if (position === "latest") return highWatermark;
    const found = this.#batches[this.#indexOf((batch) => batch.appendTime >= position.time)];
    return found === undefined ? highWatermark : Math.max(found.baseOffset, logStart);
  }

  async appendTimeAt(offset: number): Promise<number | undefined> {
    return this.batchesFrom(offset).next().value?.appendTime;
  }

  waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    return waitBeyond(this.offsets, offset, () => this.#isClosed, signal, timeoutMs);
  }

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
    offsets.startAt(offset);
    this.#removeFirst(this.#indexOf((batch) => batch.nextOffset > offset));
  }

  /** Whole batches; the newest stays. */
  async applyRetention(): Promise<void> {
    const { retentionMs = Number.POSITIVE_INFINITY, retentionBytes = Number.POSITIVE_INFINITY } = this.#configOf();
    const oldest = Date.now() - retentionMs;
    let [count, bytes] = [0, this.#bytes];
    for (; count < this.#batches.length - 1; count++) {
      const { byteLength, appendTime } = this.#batches[count]!;
      bytes -= byteLength;
      if (bytes < retentionBytes && appendTime >= oldest) break;
    }
    if (count > 0) this.offsets.startAt(this.#batches[count]!.baseOffset);
    this.#removeFirst(count);
  }

  noteCorrupt({ baseOffset: offset }: RecordBatch, _chunk: Chunk, cause: Error): LogStoreError {
    const { partition } = this;
    return new CorruptPartitionError(
      `partition ${partition} is damaged at offset ${offset}`,
      { partition, offset },
      { cause },
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.offsets.wakeAll();
  }

  /** Index of the first batch for which this holds, as for all that follow it. */
  #indexOf(holds: (batch: RecordBatch) => boolean): number {
    let [low, high] = [0, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#batches[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #removeFirst(count: number): void {
    for (const { byteLength } of this.#batches.splice(0, count)) this.#bytes -= byteLength;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError(`partition ${this.partition} is closed`, { partition: this.partition });
  }
}

/** Memory survives nothing: it offers the weakest durability that there is, and no other. */
export const MEMORY_DURABILITIES = ["written"] as const satisfies readonly Durability[];
