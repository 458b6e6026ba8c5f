import type { RecordBatch } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { traceReceived } from "../telemetry/receive-span.js";
import { isTracing } from "../telemetry/record-context.js";
import { type Fetched, PartitionFetcher } from "./partition-fetcher.js";
import { type PartitionState, resolvePositions } from "./partition-state.js";
import { ReadAhead } from "./read-ahead.js";

/** A verified batch and the fetcher that read it. */
export interface MergedBatch {
  readonly fetcher: PartitionFetcher;
  readonly batch: RecordBatch;
}

const KIB = 1024;
/** Size of the messages of all partitions together while there are few partitions. */
const MESSAGES_BYTES = 8 * 1024 * KIB;
const MIN_MESSAGE_BYTES = 64 * KIB;
/**
 * A server reads a message from the file in one piece, and sends it when the one before is sent:
 * the larger they are, the less that costs for each byte. Beyond this size it hardly matters.
 */
const MAX_MESSAGE_BYTES = 512 * KIB;

export interface MergeOptions {
  /** Whether the iteration goes on while there is no partition to read. */
  readonly isEndless: boolean;
  /** Default: {@link MAX_READ_AHEAD_BYTES}. */
  readonly maxReadAheadBytes?: number | undefined;
  /** Ends the iteration with its reason. */
  readonly signal: AbortSignal | undefined;
  /** Called once, whatever ended the iteration. */
  readonly onEnd: () => void;
}

/**
 * One iteration over several partitions. It takes their messages in the order in which they arrive,
 * so that no partition starves. Partitions may be added and removed meanwhile.
 */
export class Merge {
  readonly #api: LogApi;
  readonly #options: MergeOptions;
  /** Number of lookups whose partitions will be added. */
  #lookups = 0;
  /** Partitions whose positions are being looked up. */
  readonly #starting = new Set<PartitionState>();
  readonly #readAhead: ReadAhead;
  readonly #fetchers = new Map<PartitionState, PartitionFetcher>();
  #ready: PartitionFetcher[] = [];
  #current: { readonly fetcher: PartitionFetcher; readonly batches: Iterator<RecordBatch> } | undefined;
  #wake: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  hasEnded = false;

  constructor(api: LogApi, options: MergeOptions) {
    this.#api = api;
    this.#options = options;
    this.#readAhead = new ReadAhead(options.maxReadAheadBytes);
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted) this.#abort();
  }

  /** Adds partitions, which are read from their positions on. */
  add(states: readonly PartitionState[]): void {
    if (this.hasEnded) return;
    for (const state of states) this.#starting.add(state);
    resolvePositions(this.#api, states, () => this.hasEnded).then(
      () => {
        for (const state of states) if (this.#starting.delete(state)) this.#fetch(state);
        this.#wake?.();
      },
      (error: unknown) => this.fail(error),
    );
  }

  /** Adds partitions when they are known. The iteration does not end before that. */
  addLater(states: Promise<readonly PartitionState[]>): void {
    this.#lookups++;
    states.then(
      (states) => {
        this.#lookups--;
        this.add(states);
        this.#wake?.();
      },
      (error: unknown) => this.fail(error),
    );
  }

  /** Removes a partition. Messages that were read ahead are dropped. */
  remove(state: PartitionState): void {
    this.#starting.delete(state);
    this.#fetchers.get(state)?.stop();
    this.#fetchers.delete(state);
  }

  /**
   * Returns the next batch if one is available. Throws if the batch is corrupt or reading its
   * partition failed.
   */
  nextBatch(): MergedBatch | undefined {
    while (!this.hasEnded) {
      if (this.#current !== undefined) {
        const { fetcher, batches } = this.#current;
        const { value: batch } = batches.next();
        if (batch !== undefined && !fetcher.isStopped) {
          fetcher.state.appendTime = batch.appendTime;
          const merged = { fetcher, batch: verified(batch, fetcher.state) };
          if (isTracing()) received(merged);
          return merged;
        }
        this.#current = undefined;
      }
      const fetcher = this.#ready.shift();
      if (fetcher === undefined) return undefined;
      const fetched = fetcher.take();
      if (fetched !== undefined) this.#begin(fetcher, fetched);
    }
    return undefined;
  }

  /**
   * Resolves to true when a batch may be available, and to false at the end of the iteration.
   * Rejects with the error that ended the iteration.
   */
  async wait(): Promise<boolean> {
    while (!this.#isOver() && this.#ready.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    if (this.#ready.length > 0) return true;
    this.end();
    return false;
  }

  /** Reads the partition again from its position. Messages that were read ahead are dropped. */
  restart(state: PartitionState): void {
    if (this.hasEnded || this.#starting.has(state)) return;
    this.#fetchers.get(state)?.stop();
    this.#fetch(state);
    this.#wake?.(); // if it was the last partition, and is at its end, the iteration ends
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#current = undefined;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#starting.clear();
    for (const fetcher of this.#fetchers.values()) fetcher.stop();
    this.#fetchers.clear();
    this.#ready = [];
    this.#wake?.();
    this.#options.onEnd();
  }

  readonly #abort = () => this.fail(this.#options.signal?.reason);

  /** Ends the iteration with an error. */
  fail(error: unknown): void {
    if (this.hasEnded) return;
    this.#failure = { error };
    this.end();
  }

  #isOver(): boolean {
    const hasSome = this.#lookups > 0 || this.#starting.size > 0 || this.#fetchers.size > 0;
    return this.hasEnded || !(hasSome || this.#options.isEndless);
  }

  #fetch(state: PartitionState): void {
    if (state.position! >= state.end!) {
      this.#fetchers.delete(state);
      return;
    }
    const changed = (fetcher: PartitionFetcher) => this.#changed(fetcher);
    const fetcher = new PartitionFetcher(this.#api, state, this.#readAhead, this.#messageBytes(), changed);
    this.#fetchers.set(state, fetcher);
  }

  /** Largest message of a partition, bytes: the same for every partition. */
  #messageBytes(): number {
    const count = this.#starting.size + this.#fetchers.size + 1;
    return Math.min(Math.max(Math.floor(MESSAGES_BYTES / count), MIN_MESSAGE_BYTES), MAX_MESSAGE_BYTES);
  }

  #changed(fetcher: PartitionFetcher): void {
    if (fetcher.isStopped) return;
    if (fetcher.isFinished) this.#fetchers.delete(fetcher.state);
    else this.#ready.push(fetcher);
    this.#wake?.();
  }

  #begin(fetcher: PartitionFetcher, { from, batches, error }: Fetched): void {
    const { state } = fetcher;
    if (error !== undefined) throw error;
    state.advance(from);
    this.#current = { fetcher, batches: batches.values() };
  }
}

function received({ fetcher: { state }, batch }: MergedBatch): void {
  const { topic, partition, position, end } = state;
  traceReceived({ topic, partition, batch, from: position!, end: end! });
}

function verified(batch: RecordBatch, state: PartitionState): RecordBatch {
  try {
    return batch.verify();
  } catch (error) {
    throw state.place(error);
  }
}
