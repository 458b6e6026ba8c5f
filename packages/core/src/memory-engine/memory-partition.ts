/** The records of a partition in memory: an array of batches, which the engines of a home share. */
import type { RecordBatch } from "@logstore/codec";
import type { TopicConfig } from "@logstore/protocol";
import { assignOffsets } from "../engine/append/assign-offsets.js";
import { ProducerState } from "../engine/append/producer-state.js";
import type { Appended } from "../engine/partition-log.js";
import { LogOffsets } from "../engine/read/log-offsets.js";

export class MemoryPartition {
  readonly partition: number;
  readonly offsets = new LogOffsets(0, 0);
  readonly #batches: RecordBatch[] = [];
  readonly #producers = new ProducerState();
  #lastAppendTime = 0;
  #bytes = 0;
  #isDeleted = false;

  constructor(partition: number) {
    this.partition = partition;
  }

  /** Whether its topic was deleted. */
  get isDeleted(): boolean {
    return this.#isDeleted;
  }

  deleted(): void {
    this.#isDeleted = true;
    this.#batches.length = 0;
    this.offsets.wakeAll();
  }

  /** @throws the errors of {@link assignOffsets} */
  append(batches: readonly RecordBatch[], expectedOffset: number | undefined): Appended {
    const { offsets, partition } = this;
    const place = { partition, producers: this.#producers, now: Date.now(), flushedUpTo: 0 };
    const end = { offset: offsets.logEnd, appendTime: this.#lastAppendTime };
    const { accepted, logEnd, appended } = assignOffsets({ batches, expectedOffset }, end, place);
    this.#producers.written();
    for (const batch of accepted) {
      this.#batches.push(batch);
      this.#bytes += batch.byteLength;
    }
    this.#lastAppendTime = logEnd.appendTime;
    offsets.wrote(logEnd.offset);
    offsets.publish();
    return { ...appended, durability: "written" };
  }

  /** The batches from the one of `offset` on, oldest first. */
  *batchesFrom(offset: number): Generator<RecordBatch, void> {
    for (let i = this.#indexOf((batch) => batch.nextOffset > offset); i < this.#batches.length; i++) {
      yield this.#batches[i]!;
    }
  }

  /** The first batch that was appended at `time` or later. */
  batchAt(time: number): RecordBatch | undefined {
    return this.#batches[this.#indexOf((batch) => batch.appendTime >= time)];
  }

  deleteBefore(offset: number): void {
    this.offsets.startAt(offset);
    this.#removeFirst(this.#indexOf((batch) => batch.nextOffset > offset));
  }

  /** Deletes whole batches; the newest stays. */
  retain({ retentionMs = Number.POSITIVE_INFINITY, retentionBytes = Number.POSITIVE_INFINITY }: TopicConfig): void {
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

  /**
   * Index of the first batch for which `holds` returns true. It must also return true for all later
   * ones.
   */
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
}
