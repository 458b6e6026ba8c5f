import { nextTick } from "node:process";
import { Alarm, type DeliveryTimeoutError, startTimer, type Timer } from "@logstore/codec";
import { type LogApi, PRODUCE_HEADROOM_BYTES, type ProduceAck } from "@logstore/protocol";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import type { AppendAck } from "./append-ack.js";
import type { Batch } from "./batch.js";
import { deliveryTimeout, requestOf } from "./delivery.js";
import type { Entry } from "./entry.js";
import { ProducerSequence } from "./producer-sequence.js";
import { RecordAccumulator } from "./record-accumulator.js";
import type { SenderListener, SenderOptions, SenderTarget } from "./sender-options.js";
import { splitRefused } from "./split-batch.js";

/**
 * A server recognizes a repeated batch among this many of the last ones. Responses may be lost one
 * by one, so the limit counts from the oldest unacknowledged batch on.
 */
const MAX_IN_FLIGHT = 5;

/** Errors that say that the topic was deleted, or created anew. */
const TOPIC_GONE = ["INCONSISTENT_TOPIC_ID", "UNKNOWN_TOPIC"] as const;

/**
 * Sends the batches of one partition in order, with up to five in flight. After a failure no new
 * batch is sent until the outcome of every batch in flight is known. Then the retriable ones are
 * sent again, in the same order and with the same bytes.
 */
export class PartitionSender {
  readonly #api: LogApi;
  readonly #target: SenderTarget;
  readonly #options: SenderOptions;
  readonly #listener: SenderListener;
  readonly #accumulator: RecordAccumulator;
  readonly #sequence: ProducerSequence;
  /** Batches that were sent and are not settled, in order. */
  #inFlight: Batch[] = [];
  /** Number of batches sent; a batch that is sent again counts once. */
  #sent = 0;
  /** Number of batches in flight that the log has not responded to. */
  #unanswered = 0;
  #failing = false;
  /** Whether a batch of this epoch was given up after it had been sent. */
  #lost = false;
  #attempt = 0;
  #linger: Timer | undefined;
  #pause: Timer | undefined;
  #timerRuns = false;
  /** Ends attempts at the deadlines of their batches. */
  readonly #deadlines = new Alarm(() => this.#endLate());
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

  /** Whether there is a batch that accepts more records. */
  get hasOpenBatch(): boolean {
    return this.#accumulator.hasOpen;
  }

  /** Returns the promise of the record's acknowledgement, unless the entry has a waiter. */
  append(entry: Entry): Promise<AppendAck> | undefined {
    const acked = this.#accumulator.append(entry);
    this.#wake();
    return acked;
  }

  /** Sends open batches without waiting for more records. */
  hurry(): void {
    this.#accumulator.closeOpen();
    this.#sendClosed();
  }

  /**
   * Lets no open batch linger. Without a linger time, it is sent anyway when no other is in flight,
   * and accepts records until then.
   */
  endLinger(): void {
    if (this.#options.lingerMs > 0) this.hurry();
  }

  /** Resolves when every record so far is settled. */
  async flush(): Promise<void> {
    this.hurry();
    await Promise.all([...this.#inFlight, ...this.#accumulator.batches()].map((batch) => batch.settled));
    // It would keep this object in memory.
    if (this.#unanswered === 0) this.#deadlines.cancel();
  }

  /** Rejects every record that is not settled yet. */
  abandon(error: unknown): void {
    this.#isAbandoned = true;
    this.#linger?.cancel();
    this.#pause?.cancel();
    this.#deadlines.cancel();
    for (const batch of [...this.#inFlight, ...this.#accumulator.batches()]) {
      this.#reject(batch, error);
      batch.endTry(error);
    }
    this.#inFlight = [];
  }

  /**
   * Sends full batches at once. An open batch waits for more records only while another batch is in
   * flight, or for its linger time.
   */
  #wake(): void {
    if (this.#accumulator.hasClosed) this.#sendClosed();
    if (!this.#timerRuns && this.#inFlight.length === 0 && this.#accumulator.hasOpen) this.#sendSoon();
  }

  #sendSoon(): void {
    this.#timerRuns = true;
    const send = () => {
      this.#timerRuns = false;
      if (this.#isAbandoned) return;
      if (this.#inFlight.length === 0) this.hurry();
    };
    if (this.#options.lingerMs > 0) this.#linger = startTimer(this.#options.lingerMs, send);
    else nextTick(send); // after every send of this callback of the event loop, and of its promises
  }

  /**
   * The log accepts any sequence number from an unknown producer. The first batch must therefore be
   * acknowledged before others follow: if it were lost, the second would be taken for the first.
   */
  #mostInFlight(): number {
    return this.#sequence.isKnown ? MAX_IN_FLIGHT : 1;
  }

  /** Number of batches sent from the oldest one in flight on, acknowledged or not. */
  #span(): number {
    const oldest = this.#inFlight[0];
    return oldest === undefined ? 0 : this.#sent - oldest.ordinal;
  }

  #sendClosed(): void {
    while (!this.#failing && this.#span() < this.#mostInFlight()) {
      const batch = this.#accumulator.shift();
      if (batch === undefined) return;
      if (performance.now() >= batch.deadline) {
        // A sealed batch leaves a gap in the sequence.
        if (batch.sealed !== undefined) this.#lost = true;
        this.#reject(batch, this.#timeoutError(batch));
        continue;
      }
      if (batch.sealed === undefined) this.#accumulator.seal(batch, this.#sequence.stamp(batch.waiters.recordCount));
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

  /** Returns the log's response, or rejects with a DeliveryTimeoutError at the batch's deadline. */
  #produce(batch: Batch, sealed: Uint8Array, isFirstTry: boolean): Promise<ProduceAck> {
    return new Promise((resolve, reject) => {
      this.#deadlines.set(batch.deadline);
      batch.tries(reject);
      const request = requestOf({ ...this.#target, durability: this.#options.durability }, sealed, isFirstTry);
      this.#api.produce(request).then(resolve, reject);
    });
  }

  #endLate(): void {
    const now = performance.now();
    for (const batch of this.#inFlight) {
      if (batch.deadline <= now) batch.endTry(this.#timeoutError(batch));
      else this.#deadlines.set(batch.deadline);
    }
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
    if (this.#unanswered === 0) this.#deadlines.rest();
    if (!this.#failing) this.#wake();
    else if (this.#unanswered === 0) this.#sortOutFailures();
  }

  /**
   * Called when every batch in flight has failed: those acknowledged are not in flight any more.
   */
  #sortOutFailures(): void {
    const failed = this.#inFlight;
    this.#inFlight = [];
    const attempt = this.#attempt++;
    const waitMs = Math.max(...failed.map(({ failure }) => retryDelayMs(attempt, failure)));
    for (const batch of failed) {
      const parts = splitRefused(batch, this.#accumulator);
      if (parts !== undefined) {
        this.#inFlight.push(...parts);
        continue;
      }
      // Refused only because the batch before it, which is sent again, was missing.
      const follows = hasCode(batch.failure, "OUT_OF_ORDER_SEQUENCE") && this.#inFlight.length > 0;
      const again = follows || isRetriable(batch.failure);
      if (again && performance.now() + waitMs < batch.deadline) this.#inFlight.push(batch);
      else this.#giveUp(batch, again ? this.#timeoutError(batch) : batch.failure);
    }
    this.#accumulator.putBack(this.#inFlight.splice(this.#mostInFlight()));
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
