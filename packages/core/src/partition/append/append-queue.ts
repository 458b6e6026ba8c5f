/**
 * Appends that wait for the partition's next write, in order of arrival. Sealed batches stay as
 * they are; consecutive single records share a batch, which is sealed when it is taken.
 */
import {
  type BatchLimits,
  BufferFullError,
  type Bytes,
  type CompressionName,
  type HeaderInput,
  RecordBatch,
  RecordBatchBuilder,
} from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import type { Appended } from "../../engine/partition-log.js";
import { checkRecord } from "./check-record.js";

/** The position of a record, or of the records of one append, in the log, and their durability. */
export interface AppendAck {
  readonly partition: number;
  /** Offset of the record, or of the first of several. */
  readonly offset: number;
  /** Offset after the last record: the expected offset for the next append. */
  readonly nextOffset: number;
  /**
   * `flushed`: the records survive a power failure. `written`: they survive a crash of the process.
   */
  readonly durability: Durability;
}

/** Batches that are written together, and the callers that wait for them. */
export interface PendingAppend {
  /** Number of append calls that these batches come from. */
  readonly calls: number;
  readonly batches: readonly RecordBatch[];
  readonly byteLength: number;
  readonly durability: Durability;
  readonly expectedOffset: number | undefined;
  /** Whether nobody else has the bytes, and each batch is in a buffer of its own. */
  readonly isOwned: boolean;
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

/** The options may be altered at any time. */
export interface AppendQueueOptions {
  /** Largest size of waiting appends, in bytes; further ones are refused. */
  readonly maxQueuedBytes: number;
  readonly limits: BatchLimits;
  readonly compression: CompressionName;
}

/** Single records share a batch up to this size. */
const SHARED_BATCH_BYTES = 256 * 1024;

export class AppendQueue {
  readonly #partition: number;
  readonly #options: AppendQueueOptions;
  readonly #pending: PendingAppend[] = [];
  #builder: RecordBatchBuilder;
  /** The limits with which the builder was created. */
  #builderLimits: BatchLimits;
  /** The callers that wait for the records in the builder, in order. */
  #waiting: { resolve(ack: AppendAck): void; reject(error: unknown): void }[] = [];
  #waitingDurability: Durability = "written";
  #queuedBytes = 0;

  constructor(partition: number, options: AppendQueueOptions) {
    this.#partition = partition;
    this.#options = options;
    this.#builder = sharedBuilder(options);
    this.#builderLimits = options.limits;
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0 && this.#waiting.length === 0;
  }

  /** Adds batches at the end of the queue. */
  add(append: PendingAppend): void {
    if (append.byteLength > 0) this.refuseWhenFull(0, append.byteLength);
    this.#sealShared();
    this.#push(append);
  }

  /**
   * Adds one record at the end of the queue. Returns the promise that the caller of the store gets:
   * one per record.
   */
  addRecord(
    key: Bytes | null,
    value: Bytes,
    timestamp: number,
    headers: readonly HeaderInput[] | undefined,
    durability: Durability,
  ): Promise<AppendAck> {
    checkRecord(key, value, headers);
    this.refuseWhenFull(0, 0);
    if (this.#builderLimits !== this.#options.limits) this.#startAnew();
    if (!this.#builder.append(key, value, timestamp, headers)) {
      this.#sealShared();
      this.#builder.append(key, value, timestamp, headers);
    }
    if (durability === "flushed") this.#waitingDurability = "flushed";
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /**
   * Removes and returns the oldest appends: at least one, and together at most `maxBytes` and
   * `maxBatches`, unless a single one is larger.
   */
  take(maxBytes: number, maxBatches = Number.POSITIVE_INFINITY): PendingAppend[] {
    this.#sealShared();
    let count = 0;
    let bytes = 0;
    let batches = 0;
    for (const { byteLength, batches: more } of this.#pending) {
      if (count > 0 && (bytes + byteLength > maxBytes || batches + more.length > maxBatches)) break;
      bytes += byteLength;
      batches += more.length;
      count++;
    }
    this.#queuedBytes -= bytes;
    return this.#pending.splice(0, count);
  }

  rejectAll(error: unknown): void {
    for (const append of this.take(Number.POSITIVE_INFINITY)) append.reject(error);
  }

  #push(append: PendingAppend): void {
    this.#pending.push(append);
    this.#queuedBytes += append.byteLength;
  }

  /** Seals the builder's records and starts a new builder, because the limits were altered. */
  #startAnew(): void {
    this.#sealShared();
    this.#builder = sharedBuilder(this.#options);
    this.#builderLimits = this.#options.limits;
  }

  #sealShared(): void {
    const waiting = this.#waiting;
    const durability = this.#waitingDurability;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#waitingDurability = "written";
    let batch: RecordBatch;
    try {
      batch = RecordBatch.parse(this.#builder.seal(), 0, this.#builderLimits);
    } catch (error) {
      // A registered compression may throw.
      this.#builder = sharedBuilder(this.#options);
      for (const { reject } of waiting) reject(error);
      return;
    }
    this.#push({
      calls: waiting.length,
      batches: [batch],
      byteLength: batch.byteLength,
      durability,
      expectedOffset: undefined,
      isOwned: true,
      resolve: ({ baseOffset, durability }) => {
        const partition = this.#partition;
        let offset = baseOffset;
        for (const { resolve } of waiting) resolve({ partition, offset, nextOffset: ++offset, durability });
      },
      reject: (error) => {
        for (const { reject } of waiting) reject(error);
      },
    });
  }

  /**
   * @param otherBytes bytes that wait elsewhere to be added
   *
   * @throws BufferFullError
   */
  refuseWhenFull(otherBytes: number, moreBytes: number): void {
    const waiting = otherBytes + this.#queuedBytes + (this.#waiting.length > 0 ? this.#builder.byteLength : 0);
    const { maxQueuedBytes } = this.#options;
    if (waiting === 0 || waiting + moreBytes <= maxQueuedBytes) return;
    throw new BufferFullError(
      `${waiting} bytes wait to be written, and ${maxQueuedBytes} may: await earlier appends before the next ones`,
      { expected: maxQueuedBytes, actual: waiting },
    );
  }
}

function sharedBuilder({ limits, compression }: AppendQueueOptions): RecordBatchBuilder {
  return new RecordBatchBuilder({ targetBytes: SHARED_BATCH_BYTES, limits, compression });
}
