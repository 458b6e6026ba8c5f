/** Makes this broker the owner of a partition, and remembers what it knows as such. */
import { CorruptPartitionError } from "@logstore/codec";
import type { LogOffsets } from "@logstore/core/engine";
import type { PartitionStream } from "../nats/partition-stream.js";
import type { FencedStreamOptions } from "./fenced-stream.js";
import type { MessageSource } from "./message-source.js";
import type { Owner } from "./owner.js";
import { notOwner, type Ownership } from "./ownership.js";
import { FencedError, takeOver } from "./take-over.js";

export interface CurrentOwnerOptions {
  readonly partition: number;
  readonly ownership: Ownership;
  /** For the operator. */
  readonly broker: string;
  /** This broker has taken the partition over. */
  tookOver(epoch: number, durationMs: number): void;
  /** The stream has lost acknowledged records: the log ended at `to`, and ends at `from` now. */
  lost(from: number, to: number): void;
  /** What becomes of requests. */
  readonly requests: Omit<FencedStreamOptions, "signal">;
}

export class CurrentOwner {
  readonly #stream: PartitionStream;
  readonly #offsets: LogOffsets;
  readonly #source: MessageSource;
  readonly #options: CurrentOwnerOptions;
  #known: Owner | undefined;
  #takingOver: Promise<Owner> | undefined;
  #tookOver = false;

  constructor(stream: PartitionStream, offsets: LogOffsets, source: MessageSource, options: CurrentOwnerOptions) {
    this.#stream = stream;
    this.#offsets = offsets;
    this.#source = source;
    this.#options = options;
  }

  /** Undefined if this broker does not own the partition, as far as it knows. */
  get known(): Owner | undefined {
    return this.#known;
  }

  /** Another broker may own the partition now. */
  end(): void {
    this.#known = undefined;
  }

  /**
   * Makes this broker the owner. A takeover that is under way is enough for all.
   *
   * @throws NotOwnerError, FencedError, CorruptPartitionError, the errors of requests
   */
  takeOver(): Promise<Owner> {
    this.#takingOver ??= this.#takeOverNow().finally(() => {
      this.#takingOver = undefined;
    });
    return this.#takingOver;
  }

  async #takeOverNow(): Promise<Owner> {
    const { partition, broker, ownership } = this.#options;
    const mayTakeOver = ownership.term() !== undefined && (ownership.takesOverAgain || !this.#tookOver);
    if (!mayTakeOver) throw notOwner(partition, ownership);
    const begun = performance.now();
    const knownEnd = this.#offsets.logEnd; // what is known before the epoch record is stored before it
    const owner = await this.#withHealth(takeOver(this.#stream, broker));
    this.#options.tookOver(owner.epoch, performance.now() - begun);
    this.#known = owner;
    this.#tookOver = true;
    this.#source.forget(); // it may be of messages that were lost, and others have taken their place
    if (owner.logEnd < knownEnd) {
      this.#offsets.cut(owner.logStart, owner.logEnd);
      this.#options.lost(owner.logEnd, knownEnd);
    } else {
      this.#offsets.startAt(owner.logStart);
      this.#offsets.wrote(Math.max(owner.logEnd, this.#offsets.logEnd)); // a later owner may have written
      this.#offsets.publish();
    }
    return owner;
  }

  /** Tells whether the requests of a takeover succeed. */
  async #withHealth<T>(takingOver: Promise<T>): Promise<T> {
    const { requests } = this.#options;
    try {
      const result = await takingOver;
      requests.stored();
      return result;
    } catch (error) {
      if (!(error instanceof FencedError || error instanceof CorruptPartitionError)) requests.failed(error);
      throw error;
    }
  }
}
