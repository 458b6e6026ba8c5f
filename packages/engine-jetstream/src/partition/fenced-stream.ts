/**
 * Writes to a stream as its owner: one message after another, each stored once or not at all, and
 * none after another broker has taken over. See docs/format/jetstream.md.
 */
import { sleep } from "@logstore/codec";
import type { StoredMsg } from "@nats-io/jetstream";
import type { OutcomeEvent } from "../events/jetstream-events.js";
import { isWrongSequence } from "../nats/failures.js";
import type { Outgoing, PartitionStream } from "../nats/partition-stream.js";
import { EPOCH_HEADER } from "./data-message.js";
import type { Owner } from "./owner.js";
import { FencedError } from "./take-over.js";

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

export interface FencedStreamOptions {
  /** Aborted when nobody waits for the outcome any more. */
  readonly signal: AbortSignal;
  /** A request failed, not because of the fence. */
  failed(error: unknown): void;
  /** A message was stored. */
  stored(): void;
  /** The outcome of a message that was not acknowledged is known. */
  resolved(outcome: OutcomeEvent["outcome"], durationMs: number): void;
}

export class FencedStream {
  readonly stream: PartitionStream;
  readonly #options: FencedStreamOptions;
  #lastFailure: unknown;

  constructor(stream: PartitionStream, options: FencedStreamOptions) {
    this.stream = stream;
    this.#options = options;
  }

  /** Why the last attempt to store or to ask failed; undefined if it did not. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /**
   * Stores a message after the last one that the owner knows; resolves to its sequence, however
   * long that takes. Only one call may be in progress: the fence relies on it.
   *
   * @throws FencedError if another broker has taken over
   * @throws the reason of the last failure if the signal aborts: the outcome is unknown
   */
  async store(message: Outgoing, owner: Owner): Promise<number> {
    const begun = performance.now();
    this.#lastFailure = undefined;
    let outcome: OutcomeEvent["outcome"] = "fenced";
    try {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        const sequence = await this.#storeOnce(message, owner);
        if (sequence !== undefined) {
          outcome = pauseMs === FIRST_PAUSE_MS ? "stored" : "stored_again";
          owner.lastSequence = sequence;
          this.#options.stored();
          return sequence;
        }
        await this.#pause(pauseMs);
      }
    } finally {
      if (this.#lastFailure !== undefined && !this.#options.signal.aborted) {
        this.#options.resolved(outcome, performance.now() - begun);
      }
      this.#lastFailure = undefined;
    }
  }

  /** @throws FencedError if another broker has taken over */
  async confirm(owner: Owner): Promise<void> {
    if ((await this.#whatFollows(owner.lastSequence + 1)) !== undefined) throw new FencedError();
  }

  /** Undefined if the message is not stored yet. The same bytes may be sent again. */
  async #storeOnce(message: Outgoing, owner: Owner): Promise<number | undefined> {
    try {
      return await this.stream.publish(message, owner.lastSequence);
    } catch (error) {
      this.#failed(error);
    }
    const follows = await this.#whatFollows(owner.lastSequence + 1);
    if (follows === undefined) return undefined;
    const isOwn = Number(follows.header.get(EPOCH_HEADER)) === owner.epoch;
    if (isOwn && follows.seq === owner.lastSequence + 1) return follows.seq;
    throw new FencedError();
  }

  /** The first message at a sequence or after, according to the leader, as soon as it answers. */
  async #whatFollows(sequence: number): Promise<StoredMsg | undefined> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await this.stream.next(sequence);
      } catch (error) {
        this.#failed(error);
      }
      await this.#pause(pauseMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, this.#options.signal);
  }

  /** @throws the error if nobody waits for the outcome any more */
  #failed(error: unknown): void {
    if (!isWrongSequence(error)) {
      this.#lastFailure = error;
      this.#options.failed(error);
    }
    if (this.#options.signal.aborted) throw error;
  }
}
