import { frameBatches, type LogStoreError, OffsetGapError, type RecordBatch, sleep } from "@logstore/codec";
import type { ConsumeEvent, LogApi } from "@logstore/protocol";
import { hasCode, isRetriable, retryDelayMs } from "../common/retry.js";
import type { PartitionState } from "./partition-state.js";
import { type ReadAhead, ReadAheadShare } from "./read-ahead.js";
import { learnMaxRecordsBytes, maxRecordsBytes } from "./records-limit.js";

/** The content of one event. */
export interface Fetched {
  /**
   * Records before this offset are not wanted; it may be later than expected, if records were
   * deleted.
   */
  readonly from: number;
  readonly batches: readonly RecordBatch[];
  /** The error that ended the reading. */
  readonly error?: unknown;
}

/**
 * The reason with which streams are aborted. It is made once, because each error has a stack trace.
 */
const STOPPED = new DOMException("reading the partition has ended", "AbortError");

/** The result of a stream that was ended because the read-ahead had no room for its message. */
const NO_ROOM = Symbol("no room");

/**
 * Reads one partition from its position on, and reopens the stream where it ended when the
 * connection is lost. It holds one message. The next one is requested when that is taken and the
 * read-ahead has room.
 */
export class PartitionFetcher {
  readonly state: PartitionState;
  readonly #api: LogApi;
  readonly #maxBytes: number;
  readonly #changed: (fetcher: PartitionFetcher) => void;
  readonly #readAhead: ReadAheadShare;
  readonly #stop = new AbortController();
  #nextOffset: number;
  #fetched: Fetched | undefined;
  #taken: (() => void) | undefined;
  #attempt = 0;

  /**
   * @param maxBytes largest message; a single batch may exceed it
   *
   * @param changed called when there is something to take, and at the end
   */
  constructor(
    api: LogApi,
    state: PartitionState,
    readAhead: ReadAhead,
    maxBytes: number,
    changed: (fetcher: PartitionFetcher) => void,
  ) {
    this.#api = api;
    this.#readAhead = new ReadAheadShare(readAhead, maxBytes);
    this.state = state;
    this.#maxBytes = maxBytes;
    this.#changed = changed;
    this.#nextOffset = state.position!;
    this.#run();
  }

  /** Read for every record: a field costs less than the signal's state. */
  isStopped = false;

  /** Whether everything was taken and nothing more will come. */
  isFinished = false;

  take(): Fetched | undefined {
    const fetched = this.#fetched;
    this.#fetched = undefined;
    this.#readAhead.taken();
    this.#taken?.();
    return fetched;
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.#stop.abort(STOPPED);
    this.take();
    this.#readAhead.leave();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isDone) {
        await this.#readAhead.turn();
        if (this.isStopped) break;
        const trouble = await this.#readStream();
        this.#readAhead.leave();
        if (this.#isDone || trouble === NO_ROOM) continue;
        await sleep(retryDelayMs(this.#attempt++, trouble), this.#stop.signal);
      }
    } catch (error) {
      this.#readAhead.leave();
      await this.#offer({ from: this.#nextOffset, batches: [], error });
    }
    this.isFinished = true;
    this.#changed(this);
  }

  /**
   * Reads until the end of the partition's range or of the stream; a stream that just ends is
   * treated like a lost connection. Resolves to the retriable error that ended the stream, if any.
   */
  async #readStream(): Promise<unknown> {
    const { topic, topicId, partition, end } = this.state;
    const until = end === Infinity ? undefined : end;
    const range = { topic, topicId, partition, from: this.#nextOffset, until };
    const request = { ...range, maxBytes: this.#maxBytes, seesCaughtUp: true };
    try {
      for await (const event of this.#api.consume(request, { signal: this.#stop.signal })) {
        if (this.isStopped) return undefined;
        this.#attempt = 0;
        this.state.isExact = false;
        this.state.highWatermark = event.highWatermark;
        if (event.type === "batches" && !this.#readAhead.received(event.batches.length)) return NO_ROOM;
        await this.#handle(event);
        if (this.#isDone) return undefined;
        await this.#mayReadOn(event);
        if (this.isStopped) return undefined;
      }
    } catch (error) {
      if (this.isStopped || isRetriable(error) || this.state.isPassing(error)) return error;
      const nearest = this.#nearestTo(error);
      if (nearest === undefined) throw error;
      await this.#moveTo(nearest);
    }
    return undefined;
  }

  async #handle(event: ConsumeEvent): Promise<void> {
    if (event.type === "logStartMoved") await this.#moveTo(event.logStartOffset);
    if (event.type === "gap") {
      if (event.firstOffset > this.#nextOffset) throw this.#gapError(this.#nextOffset, event.firstOffset);
      if (event.nextOffset > this.#nextOffset) await this.#moveTo(event.nextOffset);
    }
    if (event.type !== "batches") return;
    const from = this.#nextOffset;
    let { batches, error } = this.#frame(event.batches);
    // The server accepted the batch under limits that are higher than this client's defaults.
    if (hasCode(error, "BATCH_TOO_LARGE") && (await learnMaxRecordsBytes(this.#api))) {
      ({ batches, error } = this.#frame(event.batches));
    }
    if (this.isStopped) return;
    this.state.appendTime ??= batches[0]?.appendTime;
    await this.#offer({ from, batches });
    if (error !== undefined) throw this.state.place(error, { offset: this.#nextOffset });
  }

  /**
   * Resolves when the next message may be requested. A partition that has caught up reserves
   * nothing for it, also after it has waited for a turn: it may not come for long.
   */
  async #mayReadOn({ type, highWatermark }: ConsumeEvent): Promise<void> {
    const hasCaughtUp = type === "caughtUp" || type === "heartbeat" || this.#nextOffset >= highWatermark;
    if (hasCaughtUp) this.#readAhead.caughtUp();
    if (!this.#readAhead.isTurnOver) return;
    await this.#readAhead.turn();
    if (hasCaughtUp) this.#readAhead.caughtUp();
  }

  /** Parses the batches of a message, up to the first one that is invalid. */
  #frame(bytes: Uint8Array): { batches: RecordBatch[]; error: unknown } {
    const batches: RecordBatch[] = [];
    const limits = { maxBatchBytes: bytes.length, maxRecordsBytes: maxRecordsBytes(this.#api) };
    try {
      for (const batch of frameBatches(bytes, limits)) {
        // Records are missing without a notice. A server reports deleted and lost records before it
        // skips them.
        if (batch.baseOffset > this.#nextOffset) throw this.#gapError(this.#nextOffset, batch.baseOffset);
        this.#nextOffset = Math.max(this.#nextOffset, batch.nextOffset);
        batches.push(batch);
      }
      return { batches, error: undefined };
    } catch (error) {
      return { batches, error };
    }
  }

  #gapError(expected: number, actual: number): OffsetGapError {
    const { topic, partition } = this.state;
    return new OffsetGapError(
      `the server sent offset ${actual} of partition ${partition} of ${topic} instead of ${expected}, and did not report ` +
        `the offsets between as deleted or lost. Read again from ${expected}; if that fails too, seek past the gap`,
      { topic, partition, offset: expected, expected, actual },
    );
  }

  get #isDone(): boolean {
    return this.isStopped || this.#nextOffset >= this.state.end!;
  }

  /**
   * Returns the offset to continue at if the next record is not in the log any more; undefined if
   * that is an error.
   */
  #nearestTo(error: unknown): number | undefined {
    if (this.state.isExact || !hasCode(error, "OFFSET_OUT_OF_RANGE")) return undefined;
    const { expected } = error as LogStoreError;
    if (expected === undefined || expected > this.#nextOffset) return expected;
    return this.state.mayGoBack ? expected : undefined;
  }

  async #moveTo(offset: number): Promise<void> {
    if (offset !== this.#nextOffset) this.state.skipped(this.#nextOffset, offset);
    this.#nextOffset = Math.max(this.#nextOffset, offset);
    await this.#offer({ from: this.#nextOffset, batches: [] });
  }

  /** Resolves when the content is taken. */
  async #offer(fetched: Fetched): Promise<void> {
    if (this.isStopped) return;
    this.#fetched = fetched;
    const taken = new Promise<void>((resolve) => (this.#taken = resolve));
    this.#changed(this);
    await taken;
  }
}
