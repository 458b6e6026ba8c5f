import { type BatchTooLargeError, type DeliveryTimeoutError, startTimer, type Timer } from "@logstore/codec";
import { type LogApi, PRODUCE_HEADROOM_BYTES, type ProduceAck } from "@logstore/protocol";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import type { Batch } from "./batch.js";
import { beforeDeadline, deliveryTimeout, requestOf } from "./delivery.js";
import type { Entry } from "./entry.js";
import { ProducerSequence } from "./producer-sequence.js";
import { RecordAccumulator } from "./record-accumulator.js";
import type { SenderListener, SenderOptions, SenderTarget } from "./sender-options.js";
import { splitBatch } from "./split-batch.js";

/**
 * A server tells a repeated batch from a new one among so many of the last. Answers may be lost one
 * by one, so what counts is how many were sent from the oldest unanswered batch on.
 */
const MAX_IN_FLIGHT = 5;

/** Answers that say that the topic is not the one whose partitions were learnt. */
const TOPIC_GONE = ["INCONSISTENT_TOPIC_ID", "UNKNOWN_TOPIC"] as const;

/**
 * Sends the batches of one partition in order, up to five at a time. After a failure nothing new is
 * sent until the outcome of everything under way is known; then what may be tried again is sent
 * again, in the same order, the same bytes.
 */
export class PartitionSender {
  readonly #api: LogApi;
  readonly #target: SenderTarget;
  readonly #options: SenderOptions;
  readonly #listener: SenderListener;
  readonly #accumulator: RecordAccumulator;
  readonly #sequence: ProducerSequence;
  /** Sent and not settled, in order. */
  #inFlight: Batch[] = [];
  /** How many batches were sent, those that were sent again counted once. */
  #sent = 0;
  /** Of those in flight, how many the log has yet to answer. */
  #unanswered = 0;
  #failing = false;
  /** Whether a batch of this epoch was given up after it was sent. */
  #lost = false;
  #attempt = 0;
  #linger: Timer | undefined;
  #pause: Timer | undefined;
  #timerRuns = false;
  #isAbandoned = false;

  constructor(api: LogApi, target: SenderTarget, producerId: number, options: SenderOptions, listener: SenderListener) {
    this.#api = api;
    this.#target = target;
    this.#options = options;
    this.#listener = listener;
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
      batch.endTry(error);
    }
    this.#inFlight = [];
  }

  /**
   * Full batches go at once; an open one waits for company only while something else is under way,
   * or for its linger time.
   */
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
   * The log takes any sequence number from a producer that it does not know, so the first batch has
   * to be in before more follow: were it lost, the second would pass for the first.
   */
  get #mostInFlight(): number {
    return this.#sequence.isKnown ? MAX_IN_FLIGHT : 1;
  }

  /** Batches sent from the oldest one in flight on, acknowledged or not. */
  get #span(): number {
    const oldest = this.#inFlight[0];
    return oldest === undefined ? 0 : this.#sent - oldest.ordinal;
  }

  #sendClosed(): void {
    while (!this.#failing && this.#span < this.#mostInFlight) {
      const batch = this.#accumulator.shift();
      if (batch === undefined) return;
      if (performance.now() >= batch.deadline) {
        // One that is sealed leaves a gap in the sequence.
        if (batch.sealed !== undefined) this.#lost = true;
        this.#reject(batch, this.#timeoutError(batch));
        continue;
      }
      if (batch.sealed === undefined) this.#accumulator.seal(batch, this.#sequence.stamp(batch.waiters.length));
      batch.ordinal = this.#sent++;
      this.#inFlight.push(batch);
      this.#send(batch, true);
    }
  }

  #send(batch: Batch, isFirstTry: boolean): void {
    batch.failure = undefined;
    this.#unanswered++;
    this.#produce(batch, batch.sealed!, isFirstTry).then(
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
  #produce(batch: Batch, sealed: Uint8Array, isFirstTry: boolean): Promise<ProduceAck> {
    const request = requestOf({ ...this.#target, durability: this.#options.durability }, sealed, isFirstTry);
    const ask = () => this.#api.produce(request);
    const late = () => this.#timeoutError(batch);
    return beforeDeadline(ask, batch.deadline, late, (timer, reject) => batch.tries(timer, reject));
  }

  #acked(batch: Batch, ack: ProduceAck): void {
    this.#sequence.isKnown = true;
    this.#attempt = 0;
    this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
    const { topic, partition } = this.#target;
    batch.resolve(topic, partition, ack.baseOffset, ack.durability);
    this.#listener.released(batch.bufferedBytes);
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
    for (const batch of this.#inFlight) this.#send(batch, false);
  }

  /**
   * What is sent instead of a batch that the topic does not take any more; undefined where that is
   * no help.
   */
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
    if (TOPIC_GONE.some((code) => hasCode(error, code))) this.#listener.topicGone();
    this.#reject(batch, error);
  }

  #reject(batch: Batch, error: unknown): void {
    batch.reject(error);
    this.#listener.released(batch.bufferedBytes);
  }

  #timeoutError({ failure, sealed }: Batch): DeliveryTimeoutError {
    const outcome = sealed === undefined ? "the records were not sent" : undefined;
    return deliveryTimeout(this.#target, this.#options.deliveryTimeoutMs, failure, outcome);
  }
}
