import type { RecordBatch } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { traceReceived } from "../telemetry/receive-span.js";
import { isTracing } from "../telemetry/record-context.js";
import { type Fetched, PartitionFetcher } from "./partition-fetcher.js";
import { type PartitionState, resolvePositions } from "./partition-state.js";
import { ReadAhead } from "./read-ahead.js";

/** A verified batch, and whose it is. */
export interface MergedBatch {
  readonly fetcher: PartitionFetcher;
  readonly batch: RecordBatch;
}

const KIB = 1024;
/** The messages of all partitions together, as long as there are few. */
const MESSAGES_BYTES = 8 * 1024 * KIB;

export interface MergeOptions {
  /** Whether it goes on while there is no partition to read. */
  readonly isEndless: boolean;
  /** Ends the iteration with its reason. */
  readonly signal: AbortSignal | undefined;
  /** Called once, however it ends. */
  readonly onEnd: () => void;
}

/**
 * One iteration over several partitions: takes their messages in the order in which they became
 * ready, so none starves. Partitions may come and go meanwhile.
 */
export class Merge {
  readonly #api: LogApi;
  readonly #options: MergeOptions;
  /** Lookups of partitions that are to be added. */
  #lookups = 0;
  /** Their positions are being looked up. */
  readonly #starting = new Set<PartitionState>();
  readonly #readAhead = new ReadAhead();
  readonly #fetchers = new Map<PartitionState, PartitionFetcher>();
  #ready: PartitionFetcher[] = [];
  #current: { readonly fetcher: PartitionFetcher; readonly batches: Iterator<RecordBatch> } | undefined;
  #wake: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  hasEnded = false;

  constructor(api: LogApi, options: MergeOptions) {
    this.#api = api;
    this.#options = options;
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted) this.#abort();
  }

  /** Reads these partitions too, from their positions on. */
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

  /** Adds these partitions when they are known; the iteration does not end before. */
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

  /** Reads the partition no more; what was read ahead of it is dropped. */
  remove(state: PartitionState): void {
    this.#starting.delete(state);
    this.#fetchers.get(state)?.stop();
    this.#fetchers.delete(state);
  }

  /**
   * The next batch, if there is one already. Throws what is wrong with it, or with reading its
   * partition.
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
   * Resolves to true when there may be a batch, false when there will be none; rejects with why the
   * iteration was ended.
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

  /** Reads the partition from its position again, whatever was read ahead. */
  restart(state: PartitionState): void {
    if (this.hasEnded || this.#starting.has(state)) return;
    this.#fetchers.get(state)?.stop();
    this.#fetch(state);
    this.#wake?.(); // it may have been the last one, and have nothing left to read
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

  /** Ends the iteration by throwing. */
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

  /** Largest message of a partition: the same for each of those that are to be read. */
  #messageBytes(): number {
    const count = this.#starting.size + this.#fetchers.size + 1;
    return Math.min(Math.max(Math.floor(MESSAGES_BYTES / count), 64 * KIB), 256 * KIB);
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
