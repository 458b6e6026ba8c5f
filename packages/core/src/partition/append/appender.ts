/**
 * Checks appends to a partition, and adds them to its queue. See {@link FilePartitionLog} for what
 * the methods promise.
 */
import { type Bytes, batchesToAppend, type HeaderInput, InvalidArgumentError, type RecordBatch } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";
import { checkExpectedOffset } from "../../engine/append/assign-offsets.js";
import { AppendCheck } from "../../engine/append/check-append.js";
import type { Appended, AppendOptions, BatchAppendOptions } from "../../engine/partition-log.js";
import type { Storage } from "../../storage/storage.js";
import type { AppendAck, AppendQueue, AppendQueueOptions, PendingAppend } from "./append-queue.js";
import { checkFileDurability } from "./file-durability.js";
import type { GroupCommit } from "./group-commit.js";
import { TurnClock } from "./turn-clock.js";

/** The options may be altered at any time. */
export interface AppenderOptions extends AppendQueueOptions {
  readonly durability: Durability;
}

/** An append is written as a whole, and positions in a segment have 32 bits. */
const MAX_APPEND_BYTES = 2 ** 30;

export class Appender {
  readonly #queue: AppendQueue;
  readonly #groupCommit: GroupCommit;
  readonly #options: AppenderOptions;
  readonly #checkWritable: () => void;
  readonly #check: AppendCheck;
  readonly #clock: TurnClock;

  /** @param checkWritable throws if the partition accepts no appends */
  constructor(
    queue: AppendQueue,
    groupCommit: GroupCommit,
    options: AppenderOptions,
    storage: Storage,
    checkWritable: () => void,
  ) {
    this.#queue = queue;
    this.#groupCommit = groupCommit;
    this.#options = options;
    this.#checkWritable = checkWritable;
    this.#check = new AppendCheck((checkingBytes, more) => queue.refuseWhenFull(checkingBytes, more));
    this.#clock = new TurnClock(storage);
  }

  append(
    key: Bytes | null,
    value: Bytes,
    timestamp: number | undefined,
    headers: readonly HeaderInput[] | undefined,
    durability: Durability | undefined,
  ): Promise<AppendAck> {
    this.#checkWritable();
    const { durability: byDefault } = this.#options;
    const time = timestamp === undefined ? this.#clock.now() : timestamp;
    const wanted = checkFileDurability(durability ?? byDefault);
    const appended = this.#queue.addRecord(key, value, time, headers, wanted);
    this.#groupCommit.wake();
    return appended;
  }

  async appendBatches(bytes: Uint8Array, options: BatchAppendOptions): Promise<Appended> {
    this.#checkWritable();
    const batches = batchesToAppend(bytes, this.#options.limits);
    // Batches that share a buffer cannot be freed one by one.
    const isOwned = options.isOwned === true && batches.length === 1;
    return this.#check.check(batches, bytes.length, () => this.#appendValid(batches, bytes.length, options, isOwned));
  }

  appendOwnedBatches(batches: readonly RecordBatch[], byteLength: number, options: AppendOptions): Promise<Appended> {
    return this.#appendValid(batches, byteLength, options, true);
  }

  #appendValid(
    batches: readonly RecordBatch[],
    byteLength: number,
    options: AppendOptions,
    isOwned: boolean,
  ): Promise<Appended> {
    this.#checkWritable();
    const { expectedOffset } = options;
    checkExpectedOffset(expectedOffset);
    if (byteLength > MAX_APPEND_BYTES) {
      throw new InvalidArgumentError(`one append takes ${MAX_APPEND_BYTES} bytes at most, not ${byteLength}: split it`);
    }
    const durability = checkFileDurability(options.durability ?? this.#options.durability);
    return this.#enqueue({ batches, byteLength, durability, expectedOffset, isOwned });
  }

  async flush(): Promise<void> {
    this.#checkWritable();
    const nothing = { batches: [], byteLength: 0, expectedOffset: undefined, isOwned: false };
    await this.#enqueue({ ...nothing, durability: "flushed" });
  }

  #enqueue(append: Omit<PendingAppend, "calls" | "resolve" | "reject">): Promise<Appended> {
    const appended = new Promise<Appended>((resolve, reject) => {
      this.#queue.add({ ...append, calls: 1, resolve, reject });
    });
    this.#groupCommit.wake();
    return appended;
  }
}
