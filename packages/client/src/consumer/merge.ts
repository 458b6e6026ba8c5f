import type { RecordBatch } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";
import { traceReceived } from "../telemetry/receive-span.js";
import { isTracing } from "../telemetry/record-context.js";
import { type Fetched, PartitionFetcher } from "./partition-fetcher.js";
import { type PartitionState, resolvePositions } from "./partition-state.js";

/** A verified batch, and whose it is. */
export interface MergedBatch {
  readonly fetcher: PartitionFetcher;
  readonly batch: RecordBatch;
}

/** One iteration over several partitions: takes their messages in the order in which they became ready, so none starves. */
export class Merge {
  readonly #api: LogApi;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: () => void;
  readonly #fetchers = new Map<PartitionState, PartitionFetcher>();
  #ready: PartitionFetcher[] = [];
  #current: { readonly fetcher: PartitionFetcher; readonly batches: Iterator<RecordBatch> } | undefined;
  #wake: (() => void) | undefined;
  #isStarting = true;
  #failure: { readonly error: unknown } | undefined;
  hasEnded = false;

  /**
   * @param signal ends the iteration with its reason
   * @param onEnd is called once, however it ends
   */
  constructor(
    api: LogApi,
    states: readonly PartitionState[],
    maxBytes: number,
    signal: AbortSignal | undefined,
    onEnd: () => void,
  ) {
    this.#api = api;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    this.#onEnd = onEnd;
    signal?.addEventListener("abort", this.#abort);
    if (signal?.aborted) this.#abort();
    else this.#start(states);
  }

  /** The next batch, if there is one already. Throws what is wrong with it, or with reading its partition. */
  nextBatch(): MergedBatch | undefined {
    while (!this.hasEnded) {
      if (this.#current !== undefined) {
        const { fetcher, batches } = this.#current;
        const { value: batch } = batches.next();
        if (batch !== undefined && !fetcher.isStopped) {
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

  /** Resolves to true when there may be a batch, false when there will be none; rejects with why the iteration was ended. */
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
    if (this.hasEnded || this.#isStarting) return;
    this.#fetchers.get(state)?.stop();
    this.#fetch(state);
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#current = undefined;
    this.#signal?.removeEventListener("abort", this.#abort);
    for (const fetcher of this.#fetchers.values()) fetcher.stop();
    this.#fetchers.clear();
    this.#ready = [];
    this.#wake?.();
    this.#onEnd();
  }

  readonly #abort = () => this.#fail(this.#signal?.reason);

  #fail(error: unknown): void {
    if (this.hasEnded) return;
    this.#failure = { error };
    this.end();
  }

  #isOver(): boolean {
    return this.hasEnded || (!this.#isStarting && this.#fetchers.size === 0);
  }

  #start(states: readonly PartitionState[]): void {
    resolvePositions(this.#api, states).then(
      () => {
        this.#isStarting = false;
        if (!this.hasEnded) for (const state of states) this.#fetch(state);
        this.#wake?.();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fetch(state: PartitionState): void {
    if (state.position! >= state.end!) {
      this.#fetchers.delete(state);
      return;
    }
    const fetcher = new PartitionFetcher(this.#api, state, this.#maxBytes, (fetcher) => this.#changed(fetcher));
    this.#fetchers.set(state, fetcher);
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
    state.position = Math.max(state.position!, from);
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
