/**
 * The log of one partition in a JetStream stream. It reads as any broker may; its first write takes
 * the partition over from the broker that owned it.
 */
import { ClosedError, CorruptPartitionError, type LogStoreError, type RecordBatch } from "@logstore/codec";
import {
  type Appended,
  type AppendOptions,
  type Chunk,
  checkedPosition,
  type Gap,
  LogOffsets,
  type LogReader,
  type PartitionLog,
  type Position,
} from "@logstore/core/engine";
import type { JetStreamEvent } from "../events/jetstream-events.js";
import { available } from "../nats/failures.js";
import type { PartitionStream } from "../nats/partition-stream.js";
import { AppendQueue } from "./append-queue.js";
import { Appends } from "./appends.js";
import type { MovingLog } from "./early-takeovers.js";
import { JetStreamReader } from "./jetstream-reader.js";
import { type LogConfig, type LogContext, type LogOptions, MAX_QUEUED_BYTES } from "./log-options.js";
import { MessageSource } from "./message-source.js";
import type { Owner } from "./owner.js";
import { ALWAYS_OWNED, notOwner, type Ownership } from "./ownership.js";
import { checkDeletable, retainedFrom } from "./retention.js";
import { boundsOf, purgeDeleted } from "./stream-bounds.js";
import { StreamHealth } from "./stream-health.js";
import { waitBeyond } from "./wait-beyond.js";
import { Writer } from "./writer.js";

export class JetStreamLog implements PartitionLog, MovingLog {
  readonly partition: number;
  readonly offsets = new LogOffsets(0, 0);
  readonly gaps: readonly Gap[] = [];
  readonly damage: LogStoreError | undefined;
  readonly failure: LogStoreError | undefined;
  readonly #stream: PartitionStream;
  readonly #context: LogContext;
  readonly #configOf: () => LogConfig;
  readonly #ownership: Ownership;
  /** The term in which the owner's state was last known to be exact. */
  #confirmedTerm: number | undefined;
  readonly #source: MessageSource;
  readonly #writer: Writer;
  readonly #appends: Appends;
  readonly #health: StreamHealth;
  #knownDamage: LogStoreError | undefined;
  #isClosed = false;
  /** Another broker owned the partition when owners changed last. */
  #isElsewhere = false;

  constructor(
    partition: number,
    stream: PartitionStream,
    context: LogContext,
    configOf: () => LogConfig,
    { ownership = ALWAYS_OWNED, maxQueuedBytes = MAX_QUEUED_BYTES, source = { partition } }: LogOptions = {},
  ) {
    this.partition = partition;
    this.#stream = stream;
    this.#context = context;
    this.#configOf = configOf;
    this.#ownership = ownership;
    this.#source = new MessageSource(stream, context.cache);
    const queue = new AppendQueue(maxQueuedBytes);
    const { broker, now, quorumLostAfterMs: lostAfterMs = 10_000 } = context;
    const tell = (event: JetStreamEvent) => context.tell?.({ ...source, ...event });
    this.#health = new StreamHealth({
      lostAfterMs,
      hasQuorum: () => stream.hasQuorum(),
      changed: (isLost, error) => {
        tell({ type: "quorum", isLost, ...(isLost && { error }) });
        context.healthChanged();
      },
    });
    this.#writer = new Writer(stream, this.offsets, this.#source, queue, {
      partition,
      ownership,
      broker,
      syncsAlways: () => context.durabilities.includes("flushed"),
      now,
      damaged: (error) => this.#damaged(error),
      tookOver: (epoch, durationMs) => tell({ type: "takeover", epoch, durationMs }),
      lost: (from, to) => tell({ type: "records_lost", from, to }),
      fenced: (epoch) => tell({ type: "fenced", epoch }),
      requests: {
        failed: (error) => this.#health.failed(error),
        stored: () => this.#health.stored(),
        resolved: (outcome, durationMs) => tell({ type: "outcome", outcome, durationMs }),
      },
    });
    this.#appends = new Appends(stream, queue, this.#writer, context, configOf);
  }

  /** Of this broker as the owner; undefined if it is not. */
  get epoch(): number | undefined {
    return this.#writer.owner?.epoch;
  }

  get knownEnd(): number {
    return this.offsets.logEnd;
  }

  get knownDamage(): LogStoreError | undefined {
    return this.#knownDamage;
  }

  /** Whether appends of the topic's durability cannot be acknowledged at present. */
  get isUnavailable(): boolean {
    const isFlushed = () => this.#configOf().durability === "flushed";
    return this.#health.isLost || (this.#context.notFlushed !== undefined && isFlushed());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  async appendBatches(bytes: Uint8Array, options: AppendOptions = {}): Promise<Appended> {
    this.#checkOpen();
    this.#checkOwned();
    return this.#appends.append(bytes, options);
  }

  reader(offset: number): LogReader {
    return new JetStreamReader(this, this.#source, offset);
  }

  async resolve(given: Position): Promise<number> {
    const position = checkedPosition(given);
    this.#checkOpen();
    if (typeof position === "number") return position;
    await this.refresh();
    const { logStart, highWatermark } = this.offsets;
    if (position === "earliest") return logStart;
    if (position === "latest" || logStart === highWatermark) return highWatermark;
    const found = await this.#source.first(({ appendTime }) => appendTime >= position.time);
    return found === undefined ? highWatermark : Math.max(found.baseOffset, logStart);
  }

  async appendTimeAt(offset: number): Promise<number | undefined> {
    const { logStart, highWatermark } = this.offsets;
    if (offset < logStart || offset >= highWatermark) return undefined;
    return (await this.#source.at(offset, 0))[0]?.appendTime;
  }

  waitBeyond(offset: number, signal?: AbortSignal, timeoutMs?: number): Promise<boolean> {
    return waitBeyond(this, offset, signal, timeoutMs);
  }

  refresh(): Promise<void> | undefined {
    const term = this.#ownership.term();
    const { owner } = this.#writer;
    if (owner === undefined || term === undefined) return this.#follow();
    return term === this.#confirmedTerm ? undefined : this.#confirm(owner, term);
  }

  /** Finds out whether another broker has been the owner since this one has. */
  async #confirm({ epoch }: Owner, term: number): Promise<void> {
    const asking = this.#stream.last("epoch");
    const last = await available(`partition ${this.partition} cannot be read`, asking);
    if (last?.seq === epoch) this.#confirmedTerm = term;
    else await this.#follow();
  }

  /** Takes the partition over from whoever wrote to it. */
  async claim(): Promise<void> {
    await available(`partition ${this.partition} cannot be taken over`, this.#writer.claim());
  }

  hasMovedHere(): boolean {
    const isOwned = this.#ownership.term() !== undefined;
    const hasMoved = isOwned && this.#isElsewhere && !this.#isClosed;
    if (isOwned) this.#isElsewhere = false;
    else if (this.#ownership.address() !== undefined) {
      this.#isElsewhere = true;
      this.#writer.leave();
    }
    return hasMoved;
  }

  async takeOver(): Promise<void> {
    if (!this.#isClosed) await this.#writer.prepare();
  }

  async #follow(): Promise<void> {
    const asked = boundsOf(this.#stream);
    const { logStart, logEnd } = await available(`partition ${this.partition} cannot be read`, asked);
    this.offsets.startAt(logStart);
    this.offsets.wrote(Math.max(logEnd, this.offsets.logEnd));
    this.offsets.publish();
  }

  async deleteRecords(offset: number): Promise<void> {
    this.#checkOpen();
    this.#checkOwned();
    await this.#follow(); // an owner that was taken over knows an old end
    const { partition, offsets } = this;
    checkDeletable(partition, offset, offsets.highWatermark);
    if (offset <= offsets.logStart) return;
    await this.#appends.moveStart(offset);
    await purgeDeleted(this.#stream, this.#source, offsets);
  }

  async applyRetention(): Promise<void> {
    this.#checkOpen();
    const { owner } = this.#writer;
    if (owner === undefined || this.#ownership.term() === undefined) return; // the owner does it
    const from = await retainedFrom(this.#configOf(), owner, this.#source, this.#context.now());
    if (from > owner.logStart) await this.deleteRecords(from);
  }

  noteCorrupt({ baseOffset: offset }: RecordBatch, _chunk: Chunk, cause: Error): LogStoreError {
    const { partition } = this;
    const what = `partition ${partition} is damaged at offset ${offset}`;
    const error = new CorruptPartitionError(what, { partition, offset }, { cause });
    this.#damaged(error);
    return error;
  }

  #damaged(error: LogStoreError): void {
    this.#knownDamage ??= error;
    this.#context.healthChanged();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.offsets.wakeAll();
    this.#health.close();
    await this.#appends.settle();
  }

  /** @throws NotOwnerError */
  #checkOwned(): void {
    if (this.#ownership.term() === undefined) throw notOwner(this.partition, this.#ownership);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError(`partition ${this.partition} is closed`, { partition: this.partition });
  }
}
