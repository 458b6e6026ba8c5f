/**
 * Appends changes to the groups' log in order. Changes of one turn of the event loop, and those
 * that arrive during a write, share a batch. Only one batch is in flight, so that one whose outcome
 * is unknown can be resent before anything follows it.
 */
import {
  ClosedError,
  type LogStoreError,
  RecordBatchBuilder,
  sleep,
  UnavailableError,
  writeServerHalf,
} from "@logstore/codec";
import type { Engine } from "../../engine/engine.js";
import type { PartitionLog } from "../../engine/partition-log.js";
import { STORED_BATCH_LIMITS } from "../../engine/read/buffers.js";
import { storageError } from "../../storage/storage-error.js";

/** Changes share a batch up to this size. */
const BATCH_BYTES = 1024 * 1024;
const RETRY_MS = 500;
/** Random ids of 48 bits, which do not collide with allocated producer ids. */
const PRODUCER_ID_BYTES = 6;

/** Changes that are written together. */
interface Group {
  readonly builder: RecordBatchBuilder;
  bytes: number;
  readonly written: Promise<void>;
  resolve(): void;
  reject(error: LogStoreError): void;
}

export class ChangeWriter {
  readonly #clock: Pick<Engine, "now">;
  readonly #openLog: () => Promise<PartitionLog>;
  /** Distinguishes the batches of this writer from those of any other. */
  readonly #producerId: number;
  readonly #waiting: Group[] = [];
  #running = false;
  #log: PartitionLog | undefined;
  #nextSequence = 0;
  #pendingBytes = 0;
  #last: Promise<void> = Promise.resolve();
  /** Why nothing can be written any more. */
  #failure: LogStoreError | undefined;
  /** Aborted on close: ends the wait before a batch is resent. */
  readonly #stop = new AbortController();

  /** @param openLog called before the first change is written */
  constructor(engine: Pick<Engine, "now" | "randomHex">, openLog: () => Promise<PartitionLog>) {
    this.#clock = engine;
    this.#openLog = openLog;
    this.#producerId = Number.parseInt(engine.randomHex(PRODUCER_ID_BYTES), 16) + 1;
  }

  /** Bytes of the changes that are not durable yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  write(value: string): void {
    const timestamp = this.#clock.now();
    const group = this.#waiting.at(-1);
    if (group?.builder.append(null, value, timestamp)) group.bytes += value.length;
    else this.#begin(value, timestamp);
    this.#pendingBytes += value.length;
    if (this.#running) return;
    this.#running = true;
    process.nextTick(() => void this.#run());
  }

  /** Resolves when everything written so far is durable. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Abandons a batch whose outcome is unknown, and the ones that wait behind it. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#last.catch(() => {});
  }

  #begin(value: string, timestamp: number): void {
    const builder = new RecordBatchBuilder({ targetBytes: BATCH_BYTES, limits: STORED_BATCH_LIMITS });
    builder.append(null, value, timestamp);
    const { promise: written, resolve, reject } = Promise.withResolvers<void>();
    written.catch(() => {}); // reported to whoever waits for it
    this.#last = written;
    this.#waiting.push({ builder, bytes: value.length, written, resolve, reject });
  }

  async #run(): Promise<void> {
    for (let group = this.#waiting.shift(); group !== undefined; group = this.#waiting.shift()) {
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#append(group.builder);
        group.resolve();
      } catch (error) {
        this.#failure ??= storageError(error, "the groups' log failed");
        group.reject(this.#failure);
      }
      this.#pendingBytes -= group.bytes;
    }
    this.#running = false;
  }

  async #append(builder: RecordBatchBuilder): Promise<void> {
    const producerId = this.#producerId;
    const { recordCount } = builder;
    let bytes = builder.seal({ producerId, producerEpoch: 0, baseSequence: this.#nextSequence });
    this.#nextSequence = (this.#nextSequence + recordCount) % 2 ** 32;
    for (;;) {
      try {
        this.#log ??= await this.#openLog();
        await this.#log.appendBatches(bytes);
        return;
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error;
        if (this.#stop.signal.aborted) throw new ClosedError("the groups' log was closed");
        // The batch is appended once, whatever the outcome of the first attempt.
        await sleep(error.retryAfterMs ?? RETRY_MS, this.#stop.signal);
        bytes = copyOfSealed(bytes);
      }
    }
  }
}

/**
 * The log may still read the bytes of an earlier attempt, and may have filled in the server half.
 */
function copyOfSealed(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes); // `slice` of a Buffer is a view of the same memory
  writeServerHalf(copy, { baseOffset: 0, appendTime: 0, flushedUpTo: 0 });
  return copy;
}
