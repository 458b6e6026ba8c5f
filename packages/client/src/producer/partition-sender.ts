import { type BatchTooLargeError, DeliveryTimeoutError, startTimer, type Timer } from "@logstore/codec";
import { type Durability, type LogApi, PRODUCE_HEADROOM_BYTES, type ProduceAck } from "@logstore/protocol";
import { hasCode, isRetriable, retryDelayMs } from "../retry.js";
import type { Batch } from "./batch.js";
import { ProducerSequence } from "./producer-sequence.js";
import { type Entry, RecordAccumulator } from "./record-accumulator.js";
import { copyOfSealed } from "./sealed-copy.js";
import { splitBatch } from "./split-batch.js";

/** As many as a server remembers to tell a repeated batch from a new one. */
const MAX_IN_FLIGHT = 5;

export interface SenderOptions {
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly deliveryTimeoutMs: number;
  readonly compression: "none" | "gzip" | "zstd";
  readonly durability: Durability | undefined;
  /** Largest batch that the topic takes, bytes, as far as it is known. */
  readonly maxBatchBytes?: number | undefined;
}

/**
 * Sends the batches of one partition in order, up to five at a time. After a failure nothing new is sent until the outcome
 * of everything under way is known; then what may be tried again is sent again, in the same order, the same bytes.
 */
export class PartitionSender {
  readonly #api: LogApi;
  readonly #topic: string;
  readonly #partition: number;
  readonly #options: SenderOptions;
  readonly #released: (bytes: number) => void;
  readonly #accumulator: RecordAccumulator;
  readonly #sequence: ProducerSequence;
  /** Sent and not settled, in order. */
  #inFlight: Batch[] = [];
  /** Of those, how many the log has yet to answer. */
  #unanswered = 0;
  #failing = false;
  /** Whether a batch of this epoch was given up after it was sent. */
  #lost = false;
  #attempt = 0;
  #linger: Timer | undefined;
  #pause: Timer | undefined;
  #timerRuns = false;
  #isAbandoned = false;

  /** @param released is told when bytes of settled records leave the buffer */
  constructor(
    api: LogApi,
    topic: string,
    partition: number,
    producerId: number,
    options: SenderOptions,
    released: (bytes: number) => void,
  ) {
    this.#api = api;
    this.#topic = topic;
    this.#partition = partition;
    this.#options = options;
    this.#released = released;
    this.#sequence = new ProducerSequence(producerId);
    const { batchBytes, compression } = options;
    const builderOptions = { targetBytes: batchBytes, compression, headroomBytes: PRODUCE_HEADROOM_BYTES };
    this.#accumulator = new RecordAccumulator(builderOptions, options.deliveryTimeoutMs);
    if (options.maxBatchBytes !== undefined) this.#accumulator.limitTo(options.maxBatchBytes);
  }

  /** Whether there is a batch that takes more. */
  get hasOpenBatch(): boolean {
    return this.#accumulator.hasOpen;
  }

  append(entry: Entry): void {
    this.#accumulator.append(entry);
    this.#wake();
  }

  /** Sends what there is without waiting for more. */
  hurry(): void {
    this.#accumulator.closeOpen();
    this.#sendClosed();
  }

  /** Resolves when every record so far is settled. */
  async flush(): Promise<void> {
    this.hurry();
    await Promise.all([...this.#inFlight, ...this.#accumulator.batches()].map((batch) => batch.settled));
  }

  /** Rejects everything that is not settled yet, and lets go of it. */
  abandon(error: unknown): void {
    this.#isAbandoned = true;
    this.#linger?.cancel();
    this.#pause?.cancel();
    for (const batch of [...this.#inFlight, ...this.#accumulator.batches()]) {
      this.#reject(batch, error);
      batch.endTry?.(error);
    }
    this.#inFlight = [];
  }

  /** Full batches go at once; an open one waits for company only while something else is under way, or for its linger time. */
  #wake(): void {
    if (this.#accumulator.hasClosed) this.#sendClosed();
    if (this.#timerRuns || this.#inFlight.length > 0 || !this.#accumulator.hasOpen) return;
    this.#timerRuns = true;
    const send = () => {
      this.#timerRuns = false;
      if (this.#isAbandoned) return;
      if (this.#inFlight.length === 0) this.hurry();
    };
    if (this.#options.lingerMs > 0) this.#linger = startTimer(this.#options.lingerMs, send);
    else setImmediate(send); // not before every send of this turn is in
  }

  /**
   * The log takes any sequence number from a producer that it does not know, so the first batch has to be in before more follow: were
   * it lost, the second would pass for the first.
   */
  get #mostInFlight(): number {
    return this.#sequence.isKnown ? MAX_IN_FLIGHT : 1;
  }

  #sendClosed(): void {
    while (!this.#failing && this.#inFlight.length < this.#mostInFlight) {
      const batch = this.#accumulator.shift();
      if (batch === undefined) return;
      if (performance.now() >= batch.deadline) {
        // One that is sealed leaves a gap in the sequence.
        if (batch.sealed !== undefined) this.#lost = true;
        this.#reject(batch, this.#timeoutError(batch));
        continue;
      }
      if (batch.sealed === undefined) this.#accumulator.seal(batch, this.#sequence.stamp(batch.waiters.length));
      this.#inFlight.push(batch);
      this.#send(batch, batch.sealed!);
    }
  }

  #send(batch: Batch, batches: Uint8Array): void {
    batch.failure = undefined;
    this.#unanswered++;
    this.#produce(batch, batches).then(
      (ack) => {
        if (!this.#isAbandoned) this.#acked(batch, ack);
      },
      (failure: unknown) => {
        if (this.#isAbandoned) return;
        batch.failure = failure;
        this.#failing = true;
        this.#answered();
      },
    );
  }

  /** The log's answer, or a DeliveryTimeoutError when there is none by the batch's deadline. */
  #produce(batch: Batch, batches: Uint8Array): Promise<ProduceAck> {
    return new Promise((resolve, reject) => {
      const expire = () => reject(this.#timeoutError(batch));
      const timer = startTimer(batch.deadline - performance.now(), expire);
      batch.endTry = (error) => {
        timer.cancel();
        reject(error);
      };
      this.#api
        .produce({
          topic: this.#topic,
          partition: this.#partition,
          batches,
          headroomBytes: PRODUCE_HEADROOM_BYTES,
          durability: this.#options.durability,
        })
        .then(resolve, reject)
        .finally(() => timer.cancel());
    });
  }

  #acked(batch: Batch, ack: ProduceAck): void {
    this.#sequence.isKnown = true;
    this.#attempt = 0;
    this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
    batch.resolve(this.#topic, this.#partition, ack.baseOffset, ack.durability);
    this.#released(batch.bufferedBytes);
    this.#answered();
  }

  #answered(): void {
    this.#unanswered--;
    if (!this.#failing) this.#wake();
    else if (this.#unanswered === 0) this.#sortOutFailures();
  }

  /** Everything under way has failed by now, or it would not be here. */
  #sortOutFailures(): void {
    const failed = this.#inFlight;
    this.#inFlight = [];
    const attempt = this.#attempt++;
    const waitMs = Math.max(...failed.map(({ failure }) => retryDelayMs(attempt, failure)));
    for (const batch of failed) {
      const parts = this.#split(batch);
      if (parts !== undefined) {
        this.#inFlight.push(...parts);
        continue;
      }
      // Refused only because one before it, which is to be sent again, was missing.
      const follows = hasCode(batch.failure, "OUT_OF_ORDER_SEQUENCE") && this.#inFlight.length > 0;
      const again = follows || isRetriable(batch.failure);
      if (again && performance.now() + waitMs < batch.deadline) this.#inFlight.push(batch);
      else this.#giveUp(batch, again ? this.#timeoutError(batch) : batch.failure);
    }
    this.#accumulator.putBack(this.#inFlight.splice(this.#mostInFlight));
    if (this.#inFlight.length > 0) {
      this.#pause = startTimer(waitMs, () => this.#resend());
      return;
    }
    if (this.#lost) this.#sequence.startAnew();
    this.#lost = false;
    this.#failing = false;
    this.#attempt = 0;
    this.#wake();
  }

  #resend(): void {
    for (const batch of this.#inFlight) this.#send(batch, copyOfSealed(batch.sealed!));
  }

  /** What is sent instead of a batch that the topic does not take any more; undefined where that is no help. */
  #split(batch: Batch): Batch[] | undefined {
    const { failure, sealed, waiters } = batch;
    if (!hasCode(failure, "BATCH_TOO_LARGE") || waiters.length === 1) return undefined;
    // A proxy does not say how much it takes.
    const { expected = Math.floor(sealed!.length / 2) } = failure as BatchTooLargeError;
    if (expected >= sealed!.length) return undefined;
    try {
      this.#accumulator.limitTo(expected);
      return splitBatch(batch, this.#accumulator.builderOptions);
    } catch (error) {
      batch.failure = error;
      return undefined;
    }
  }

  #giveUp(batch: Batch, error: unknown): void {
    this.#lost = true;
    this.#reject(batch, error);
  }

  #reject(batch: Batch, error: unknown): void {
    batch.reject(error);
    this.#released(batch.bufferedBytes);
  }

  #timeoutError({ failure }: Batch): DeliveryTimeoutError {
    const reason = failure instanceof Error ? `: ${failure.message}` : "";
    return new DeliveryTimeoutError(
      `no acknowledgement within ${this.#options.deliveryTimeoutMs} ms${reason}`,
      { topic: this.#topic, partition: this.#partition },
      { cause: failure },
    );
  }
}
