/**
 * Writes what is appended to a partition: takes the partition over first, then makes group commits
 * of what waits, one message at a time.
 */
import {
  CorruptPartitionError,
  LogStoreError,
  type RecordBatch,
  startInterval,
  UnavailableError,
} from "@logstore/codec";
import type { LogOffsets } from "@logstore/core/engine";
import { unavailable } from "../nats/failures.js";
import type { PartitionStream } from "../nats/partition-stream.js";
import type { AppendQueue, PendingAppend, PendingStart, PendingWrite } from "./append-queue.js";
import { CurrentOwner, type CurrentOwnerOptions } from "./current-owner.js";
import { type DataMessage, encodeData } from "./data-message.js";
import { FencedStream } from "./fenced-stream.js";
import { COMMIT_BYTES, commits, decide } from "./group-commit.js";
import type { MessageSource } from "./message-source.js";
import type { Owner } from "./owner.js";
import { encodeState } from "./state-record.js";
import { FencedError } from "./take-over.js";

const CHECK_DEADLINES_MS = 250;

export interface WriterOptions extends CurrentOwnerOptions {
  /** Whether an acknowledged message is on disk. */
  syncsAlways(): boolean;
  now(): number;
  /** The stream does not hold what it must. */
  damaged(error: LogStoreError): void;
  /** Another broker has taken the partition over since this one had. */
  fenced(epoch: number): void;
}

export class Writer {
  readonly #stream: PartitionStream;
  readonly #offsets: LogOffsets;
  readonly #source: MessageSource;
  readonly #queue: AppendQueue;
  readonly #options: WriterOptions;
  readonly #stop = new AbortController();
  readonly #fenced: FencedStream;
  readonly #owner: CurrentOwner;
  /** What is being written. */
  #current: readonly PendingWrite[] = [];
  #running: Promise<void> | undefined;

  constructor(
    stream: PartitionStream,
    offsets: LogOffsets,
    source: MessageSource,
    queue: AppendQueue,
    options: WriterOptions,
  ) {
    this.#stream = stream;
    this.#offsets = offsets;
    this.#source = source;
    this.#queue = queue;
    this.#options = options;
    this.#owner = new CurrentOwner(stream, offsets, source, options);
    this.#fenced = new FencedStream(stream, { ...options.requests, signal: this.#stop.signal });
  }

  /** Undefined if this broker does not own the partition, as far as it knows. */
  get owner(): Owner | undefined {
    return this.#owner.known;
  }

  /** Called when something was added to the queue. */
  wake(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing waits any more, which every caller's deadline bounds. */
  async settle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const deadlines = startInterval(CHECK_DEADLINES_MS, () => this.#expire());
    try {
      await Promise.resolve(); // what is appended in the same turn is written together
      while (!this.#queue.isEmpty) await this.#writeNext();
    } finally {
      deadlines.cancel();
      this.#running = undefined; // at once: the next append starts it again
    }
  }

  /** Writes what is next, and tells its callers. Never rejects. */
  async #writeNext(): Promise<void> {
    try {
      const owner = this.#owner.known ?? (await this.#owner.takeOver());
      this.#current = this.#queue.take(Math.min(COMMIT_BYTES, this.#stream.maxBodyBytes));
      const [first] = this.#current;
      if (first?.kind === "start") await this.#moveStart(owner, first);
      else await this.#append(owner, this.#current as readonly PendingAppend[]);
      if (owner.needsState) await this.#storeState(owner);
    } catch (error) {
      this.#lost(error);
    } finally {
      this.#current = [];
    }
  }

  /**
   * Makes this broker the owner, before anything waits to be written.
   *
   * @throws NotOwnerError, FencedError, CorruptPartitionError, the errors of requests
   */
  async claim(): Promise<void> {
    await this.#owner.takeOver();
  }

  /** Makes this broker the owner, unless it is. */
  async prepare(): Promise<void> {
    if (this.#owner.known === undefined) await this.#owner.takeOver();
  }

  /** Another broker owns the partition. What is under way is left to the fence. */
  leave(): void {
    if (this.#running === undefined) this.#owner.end();
  }

  /**
   * Another broker may own the partition now. Whatever waits is rejected: only a caller that asks
   * again makes this broker take over.
   */
  #lost(error: unknown): void {
    if (error instanceof FencedError && this.owner !== undefined) this.#options.fenced(this.owner.epoch);
    this.#owner.end();
    const { partition } = this.#options;
    if (error instanceof CorruptPartitionError) this.#options.damaged(error);
    let why = error;
    if (error instanceof FencedError) {
      const what = `another broker has taken partition ${partition} over: append the same batches again`;
      why = new UnavailableError(what, { partition });
    } else if (!(error instanceof LogStoreError))
      why = unavailable(`partition ${partition} cannot be written to`, error);
    for (const write of [...this.#current, ...this.#queue.takeAll()]) write.reject(why);
  }

  async #append(owner: Owner, appends: readonly PendingAppend[]): Promise<void> {
    const { partition, syncsAlways, now } = this.#options;
    const place = { partition, now: now(), flushedUpTo: syncsAlways() ? owner.logEnd : 0 };
    const { batches, isRefused, settle } = decide(appends, owner, place);
    // A refusal is true as of the owner's last message. A message that is stored proves that no
    // other broker has taken over since; without one, the leader is asked.
    if (isRefused && batches.length === 0) await this.#fenced.confirm(owner);
    for (const together of commits(batches, Math.min(COMMIT_BYTES, this.#stream.maxBodyBytes))) {
      await this.#storeData(owner, together);
    }
    owner.producers.written();
    settle();
  }

  async #storeData(owner: Owner, batches: readonly RecordBatch[]): Promise<void> {
    const outgoing = encodeData(batches, owner.epoch, owner.position);
    const sequence = await this.#fenced.store(outgoing, owner);
    const message: DataMessage = {
      sequence,
      epoch: owner.epoch,
      baseOffset: batches[0]!.baseOffset,
      nextOffset: batches.at(-1)!.nextOffset,
      appendTime: batches[0]!.appendTime,
      position: owner.position,
      nextPosition: owner.position + outgoing.body.length,
      body: outgoing.body,
    };
    owner.stored(message);
    this.#source.add(message);
    this.#offsets.wrote(owner.logEnd);
    this.#offsets.publish();
  }

  async #moveStart(owner: Owner, { offset, resolve }: PendingStart): Promise<void> {
    if (offset > owner.logStart) {
      owner.logStart = offset;
      await this.#storeState(owner);
      this.#offsets.startAt(offset);
    }
    resolve();
  }

  async #storeState(owner: Owner): Promise<void> {
    await this.#fenced.store(encodeState(owner.state(), owner.epoch, this.#stream.maxBodyBytes), owner);
    owner.stateStored();
  }

  /** Callers wait no longer than their deadline. What is being written goes on. */
  #expire(): void {
    const now = performance.now();
    const current = this.#current.filter(({ deadline }) => deadline <= now);
    const expired = [...current, ...this.#queue.takeExpired(now)];
    if (expired.length === 0) return;
    const { partition } = this.#options;
    const cause = this.#fenced.lastFailure;
    const because = cause instanceof Error ? ` (${cause.message})` : "";
    const what = `it is not known yet whether partition ${partition} has stored this${because}: append the same batches again`;
    const why = new UnavailableError(what, { partition }, { cause });
    for (const write of expired) write.reject(why);
  }

  /** Gives up what is being written. */
  stop(): void {
    this.#stop.abort();
  }
}
