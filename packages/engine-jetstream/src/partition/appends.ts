/** Checks what is appended to a partition, and hands it to the writer. */
import { startTimer } from "@logstore/codec";
import {
  AppendCheck,
  type Appended,
  type AppendOptions,
  checkDurability,
  checkExpectedOffset,
  type Durability,
} from "@logstore/core/engine";
import type { PartitionStream } from "../nats/partition-stream.js";
import type { AppendQueue, PendingAppend, PendingStart } from "./append-queue.js";
import { batchesForNats } from "./batches-for-nats.js";
import type { LogConfig, LogContext } from "./log-options.js";
import type { Writer } from "./writer.js";

export class Appends {
  readonly #stream: PartitionStream;
  readonly #queue: AppendQueue;
  readonly #writer: Writer;
  readonly #context: LogContext;
  readonly #configOf: () => LogConfig;
  readonly #check: AppendCheck;
  #checking: Promise<void> = Promise.resolve();

  constructor(
    stream: PartitionStream,
    queue: AppendQueue,
    writer: Writer,
    context: LogContext,
    configOf: () => LogConfig,
  ) {
    this.#stream = stream;
    this.#queue = queue;
    this.#writer = writer;
    this.#context = context;
    this.#configOf = configOf;
    this.#check = new AppendCheck((checkingBytes, more) => this.#queue.refuseWhenFull(checkingBytes, more));
  }

  /** See `PartitionLog.appendBatches`. */
  async append(bytes: Uint8Array, { durability, expectedOffset }: AppendOptions): Promise<Appended> {
    const asked = durability ?? this.#configOf().durability;
    this.#checkOffered(asked);
    checkExpectedOffset(expectedOffset);
    const batches = batchesForNats(bytes, this.#configOf().maxBatchBytes, this.#stream.maxBodyBytes);
    const { length: byteLength } = bytes;
    const checked = this.#check.check(batches, byteLength, () => ({
      appended: this.#append({ batches, byteLength, expectedOffset }),
    }));
    if (checked instanceof Promise) this.#checking = Promise.allSettled([this.#checking, checked]).then(() => {});
    const appended = await (await checked).appended;
    this.#checkOffered(asked); // it may have ended meanwhile
    return { ...appended, durability: this.#context.durabilities.at(-1)! };
  }

  /** Moves the log start offset, behind the appends that wait. */
  moveStart(offset: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write({ kind: "start", offset, deadline: this.#deadline(), resolve, reject });
    });
  }

  /** Resolves when nothing waits any more: after `appendTimeoutMs`, it is given up. */
  async settle(): Promise<void> {
    await this.#checking; // then they are queued
    const impatient = startTimer(this.#context.appendTimeoutMs, () => this.#writer.stop());
    await this.#writer.settle();
    impatient.cancel();
  }

  /** @throws BufferFullError */
  #append(
    append: Pick<PendingAppend, "batches" | "byteLength" | "expectedOffset">,
  ): Promise<Omit<Appended, "durability">> {
    this.#queue.refuseWhenFull(0, append.byteLength);
    return new Promise((resolve, reject) => {
      this.#write({ kind: "append", ...append, deadline: this.#deadline(), resolve, reject });
    });
  }

  #deadline(): number {
    return performance.now() + this.#context.appendTimeoutMs;
  }

  #write(write: PendingAppend | PendingStart): void {
    this.#queue.add(write);
    this.#writer.wake();
  }

  /** @throws InvalidArgumentError; UnavailableError if it was offered before */
  #checkOffered(durability: Durability): void {
    const { durabilities, notFlushed } = this.#context;
    if (durability === "flushed" && notFlushed !== undefined) throw notFlushed;
    checkDurability(durability, durabilities);
  }
}
