import { DeliveryTimeoutError } from "@logstore/codec";
import { settledWithin } from "../common/registry.js";
import type { AppendAck } from "./append-ack.js";
import { copyOfEntry, type Entry } from "./entry.js";
import { SingleAcks } from "./single-acks.js";
import type { TopicSenders } from "./topic-senders.js";

/** A refusal, so that a record may be refused with any value, `undefined` too. */
interface Refusal {
  readonly error: unknown;
}

export interface RecordQueueOptions {
  readonly topic: string;
  /** Time that a record may wait for the topic's description, and for its validator, ms. */
  readonly timeoutMs: number;
  /** Called for each record that is not sent. */
  readonly refused: (entry: Entry, error: unknown) => void;
}

/**
 * Records in the order of their sends. A record passes at once, unless it or one before it has to
 * wait for the topic's description or for a validator.
 */
export class RecordQueue {
  readonly #senders: TopicSenders;
  readonly #options: RecordQueueOptions;
  #queue: { readonly entry: Entry; readonly valid: Promise<void> | undefined }[] = [];
  #emptying: Promise<void> | undefined;
  readonly #abandoned = new AbortController();

  constructor(senders: TopicSenders, options: RecordQueueOptions) {
    this.#senders = senders;
    this.#options = options;
  }

  /**
   * Returns the promise of the record's acknowledgement, unless the entry has a waiter.
   *
   * @param valid settles when the record's value was validated; undefined where it needs not be
   */
  add(entry: Entry, valid: Promise<void> | undefined): Promise<AppendAck> | undefined {
    const passes = this.#emptying === undefined && valid === undefined && this.#senders.isReady;
    return passes ? this.#pass(entry) : this.#enqueue(copyOfEntry(entry), valid);
  }

  #enqueue(entry: Entry, valid: Promise<void> | undefined): Promise<AppendAck> | undefined {
    const acks = entry.waiter === undefined ? new SingleAcks() : undefined;
    this.#queue.push({ entry: acks === undefined ? entry : { ...entry, waiter: acks }, valid });
    this.#emptying ??= this.#empty();
    return acks?.add();
  }

  /** Resolves when no record waits here; undefined where none does. */
  get emptied(): Promise<void> | undefined {
    return this.#emptying;
  }

  /** Refuses every record that waits here. */
  abandon(error: unknown): void {
    this.#abandoned.abort(error);
    for (const { entry } of this.#queue) this.#options.refused(entry, error);
    this.#queue = [];
  }

  async #empty(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const queued = this.#queue;
        this.#queue = [];
        const failed = await this.#learn();
        for (const { entry, valid } of queued) {
          let refused = failed ?? (valid && (await this.#inTime(valid, "the schema did not validate the value")));
          // The topic may have been created anew meanwhile.
          if (!this.#senders.isReady) refused ??= await this.#learn();
          if (this.#abandoned.signal.aborted) this.#options.refused(entry, this.#abandoned.signal.reason);
          else if (refused === undefined) this.#pass(entry);
          else this.#options.refused(entry, refused.error);
        }
      }
    } finally {
      // In the same turn as the last look at the queue: a caller whose record was refused may send
      // again at once.
      this.#emptying = undefined;
    }
  }

  #learn(): Promise<Refusal | undefined> {
    return this.#inTime(this.#senders.learn(), "the topic was not described");
  }

  /** Refuses records for which something takes too long, so that those behind them go on. */
  async #inTime(work: Promise<void>, late: string): Promise<Refusal | undefined> {
    const { timeoutMs, topic } = this.#options;
    if (await settledWithin(work, timeoutMs, this.#abandoned.signal)) return work.then(noRefusal, asRefusal);
    return { error: new DeliveryTimeoutError(`${late} within ${timeoutMs} ms: the record was not sent`, { topic }) };
  }

  #pass(entry: Entry): Promise<AppendAck> | undefined {
    try {
      return this.#senders.append(entry);
    } catch (error) {
      this.#options.refused(entry, error);
      return entry.waiter === undefined ? Promise.reject(error) : undefined;
    }
  }
}

function noRefusal(): undefined {}

function asRefusal(error: unknown): Refusal {
  return { error };
}
