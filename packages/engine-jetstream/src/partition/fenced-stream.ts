/**
 * Writes to a stream as its owner: one message after another, each stored once or not at all, and
 * none after another broker has taken over. See docs/format/jetstream.md.
 */
import { sleep, UnavailableError } from "@logstore/codec";
import type { StoredMsg } from "@nats-io/jetstream";
import type { OutcomeEvent } from "../events/jetstream-events.js";
import { isPayloadTooLarge, isWrongSequence } from "../nats/failures.js";
import type { Outgoing, PartitionStream } from "../nats/partition-stream.js";
import { EPOCH_HEADER } from "./data-message.js";
import type { Owner } from "./owner.js";
import { FencedError } from "./take-over.js";

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/**
 * Attempts in a row that are refused although nothing follows. A former leader that answers may be
 * behind one of them; with a stream that has lost its tail there is no end of them.
 */
const MOST_CONTRADICTIONS = 5;

/**
 * Why a message is not stored. `lost`: the same bytes may be sent again. `contradiction`: the
 * owner's last sequence was refused, but no message follows it. `too_large`: the message is larger
 * than the servers accept now; an earlier attempt may arrive yet, and the next write takes over
 * again, which fences it.
 */
type NotStored = "lost" | "contradiction" | "too_large";

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
   * @throws UnavailableError if the stream seems to have lost its tail; the message is stored or
   * not
   * @throws UnavailableError if the message is larger than the servers accept now
   * @throws the reason of the last failure if the signal aborts: the outcome is unknown
   */
  async store(message: Outgoing, owner: Owner): Promise<number> {
    const begun = performance.now();
    this.#lastFailure = undefined;
    let outcome: OutcomeEvent["outcome"] = "fenced";
    let contradictions = 0;
    try {
      for (let attempt = 0; ; attempt++) {
        const sequence = await this.#storeOnce(message, owner, attempt);
        if (typeof sequence === "number") {
          outcome = attempt === 0 ? "stored" : "stored_again";
          owner.lastSequence = sequence;
          this.#options.stored();
          return sequence;
        }
        if (sequence === "too_large") {
          outcome = "too_large";
          throw noLongerFits(this.#lastFailure);
        }
        contradictions = sequence === "contradiction" ? contradictions + 1 : 0;
        if (contradictions === MOST_CONTRADICTIONS) {
          outcome = "tail_lost";
          throw lostTail(this.stream, owner.lastSequence);
        }
        await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS));
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

  /** Resolves to the sequence, or to why the message is not stored yet. */
  async #storeOnce(message: Outgoing, owner: Owner, attempt: number): Promise<number | NotStored> {
    let why: NotStored;
    try {
      return await this.stream.publish(message, owner.lastSequence, attempt);
    } catch (error) {
      why = reasonOf(error);
      this.#failed(error);
    }
    const follows = await this.#whatFollows(owner.lastSequence + 1);
    if (follows === undefined) return why;
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

function reasonOf(error: unknown): NotStored {
  if (isWrongSequence(error)) return "contradiction";
  return isPayloadTooLarge(error) ? "too_large" : "lost";
}

/** The next takeover finds out: the log ends before the end that was known. */
function lostTail({ names }: PartitionStream, sequence: number): UnavailableError {
  const what = `stream ${names.stream} seems to have lost message ${sequence}, which was acknowledged`;
  return new UnavailableError(`${what}: append the same batches again`);
}

function noLongerFits(cause: unknown): UnavailableError {
  const what = "max_payload of the NATS servers was lowered while this was written: append the same batches again";
  return new UnavailableError(what, {}, { cause });
}
