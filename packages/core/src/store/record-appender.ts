/** Appends records to the partitions of their keys, or to all partitions in turn. */
import { type Bytes, InvalidArgumentError, keyBytes, type RecordInput } from "@logstore/codec";
import type { AppendOptions } from "../engine/partition-log.js";
import { msOf } from "../engine/read/position.js";
import type { AppendAck } from "../partition/append/append-queue.js";
import { checkBytes } from "../partition/append/check-record.js";
import type { FilePartitionLog } from "../partition/file-partition-log.js";
import type { Storage } from "../storage/storage.js";
import type { AppendRecordOptions } from "./call-options.js";
import { checkAppendOptions } from "./check-options.js";
import type { ResolvedOptions } from "./options.js";
import { sealRecords } from "./seal-records.js";
import { partitionAt } from "./unknown-partition.js";

export class RecordAppender {
  readonly #partitions: readonly FilePartitionLog[];
  readonly #options: ResolvedOptions;
  readonly #storage: Storage;
  #nextForNullKey = 0;
  /** An estimate for the next batch, in bytes: somewhat more than the last one. */
  #expectedBytes = 1024;

  constructor(partitions: readonly FilePartitionLog[], options: ResolvedOptions, storage: Storage) {
    this.#partitions = partitions;
    this.#options = options;
    this.#storage = storage;
  }

  append(key: Bytes | null, value: Bytes, options: AppendRecordOptions | undefined): Promise<AppendAck> {
    // Not an async function: the queue's promise is returned without another one around it.
    try {
      const log = partitionAt(this.#partitions, options?.partition ?? this.#choosePartition(key));
      if (options === undefined) return log.append(key, value, undefined, undefined, undefined);
      checkAppendOptions(options, true);
      const { headers, durability, expectedOffset } = options;
      const timestamp = options.timestamp === undefined ? undefined : msOf(options.timestamp);
      if (expectedOffset === undefined) return log.append(key, value, timestamp, headers, durability);
      return this.#appendOne(log, { key, value, timestamp, headers }, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async appendMany(partition: number, records: Iterable<RecordInput>, options: AppendOptions): Promise<AppendAck> {
    checkAppendOptions(options, false);
    const log = partitionAt(this.#partitions, partition);
    const { baseOffset, nextOffset, durability } = await this.#appendSealed(log, records, options);
    return { partition, offset: baseOffset, nextOffset, durability };
  }

  /** @throws InvalidArgumentError */
  partitionOf(key: Bytes): number {
    checkBytes("a key", key);
    const { partitioner } = this.#options;
    const count = this.#partitions.length;
    const partition = partitioner.partition(keyBytes(key), count);
    if (this.#partitions[partition] !== undefined) return partition;
    throw new InvalidArgumentError(`partitioner ${partitioner.name} chose partition ${partition} of ${count}`);
  }

  async #appendOne(log: FilePartitionLog, record: RecordInput, options: AppendOptions): Promise<AppendAck> {
    const { baseOffset, nextOffset, durability } = await this.#appendSealed(log, [record], options);
    return { partition: log.partition, offset: baseOffset, nextOffset, durability };
  }

  #appendSealed(log: FilePartitionLog, records: Iterable<RecordInput>, options: AppendOptions) {
    const { batches, byteLength } = sealRecords(records, this.#storage.now(), this.#expectedBytes, this.#options);
    this.#expectedBytes = Math.ceil(batches[0]!.byteLength * 1.125);
    return log.appendOwnedBatches(batches, byteLength, options);
  }

  #choosePartition(key: Bytes | null): number {
    return key === null ? this.#nextForNullKey++ % this.#partitions.length : this.partitionOf(key);
  }
}
