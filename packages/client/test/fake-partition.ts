/** A partition in memory, with the producer sequences of the real one. */
import {
  defaultBatchLimits,
  OutOfOrderSequenceError,
  ProducerFencedError,
  RecordBatch,
  validateBatches,
  WrongExpectedOffsetError,
  writeServerHalf,
} from "@logstore/codec";
import type { OffsetGap, Position, ProduceAck } from "@logstore/protocol";

interface ProducerState {
  epoch: number;
  nextSequence: number;
  readonly recent: { readonly baseSequence: number; readonly ack: ProduceAck }[];
}

export class FakePartition {
  readonly batches: RecordBatch[] = [];
  readonly producers = new Map<number, ProducerState>();
  logStartOffset = 0;
  #readers: (() => void)[] = [];

  /** Gaps that a repair has left, in order. */
  readonly gaps: OffsetGap[] = [];

  get end(): number {
    return Math.max(this.batches.at(-1)?.nextOffset ?? 0, this.gaps.at(-1)?.nextOffset ?? 0);
  }

  /**
   * Loses `count` batches from index `index` on; after a repair, readers are notified of the gap.
   */
  lose(index: number, count: number, isRepaired: boolean): void {
    const lost = this.batches.splice(index, count);
    if (isRepaired) this.gaps.push({ firstOffset: lost[0]!.baseOffset, nextOffset: lost.at(-1)!.nextOffset });
  }

  get ends() {
    return { highWatermark: this.end, logEndOffset: this.end };
  }

  get bounds() {
    return { logStartOffset: this.logStartOffset, ...this.ends };
  }

  append(bytes: Uint8Array, durability: ProduceAck["durability"], expectedOffset = this.end): ProduceAck {
    const limits = { ...defaultBatchLimits, maxBatchBytes: bytes.length };
    const [batch, ...rest] = validateBatches(bytes, limits);
    if (batch === undefined || rest.length > 0) throw new Error("the client sends one batch a request");
    const { producerId, producerEpoch, baseSequence, recordCount } = batch;
    const known = this.producers.get(producerId);
    if (known !== undefined && producerEpoch < known.epoch) throw new ProducerFencedError("an old epoch");
    const state =
      known?.epoch === producerEpoch ? known : { epoch: producerEpoch, nextSequence: baseSequence, recent: [] };
    const repeated = state.recent.find((one) => one.baseSequence === baseSequence);
    if (repeated) return { ...repeated.ack, duplicate: true };
    if (baseSequence !== state.nextSequence) {
      throw new OutOfOrderSequenceError("a gap", { expected: state.nextSequence, actual: baseSequence });
    }
    const baseOffset = this.end;
    if (expectedOffset !== baseOffset) {
      throw new WrongExpectedOffsetError("others came", { expected: expectedOffset, actual: baseOffset });
    }
    writeServerHalf(bytes, { baseOffset, appendTime: 1, flushedUpTo: 0 }); // in place, like the embedded broker
    this.batches.push(RecordBatch.parse(bytes, 0, limits));
    const ack = { baseOffset, nextOffset: this.end, durability, duplicate: false, logEndOffset: this.end };
    state.nextSequence = (baseSequence + recordCount) % 2 ** 32;
    state.recent.push({ baseSequence, ack });
    if (state.recent.length > 5) state.recent.shift();
    this.producers.set(producerId, state);
    this.wake();
    return ack;
  }

  wake(): void {
    for (const wake of this.#readers.splice(0)) wake();
  }

  more(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      this.#readers.push(resolve);
      signal?.addEventListener("abort", () => resolve(), { once: true });
      if (signal?.aborted) resolve();
    });
  }
}

/** Returns whole batches from the one that contains `from` on: as many as fit, and at least one. */
export function read(log: FakePartition, from: number, maxBytes: number) {
  const first = log.batches.findIndex((batch) => batch.nextOffset > from);
  if (first < 0) return undefined;
  const batches: RecordBatch[] = [];
  let length = 0;
  for (const batch of log.batches.slice(first)) {
    if (batches.length > 0 && length + batch.byteLength > maxBytes) break;
    if (log.gaps.some(({ nextOffset }) => nextOffset === batch.baseOffset) && batches.length > 0) break;
    batches.push(batch);
    length += batch.byteLength;
  }
  return { bytes: Buffer.concat(batches.map((batch) => batch.bytes)), nextOffset: batches.at(-1)!.nextOffset };
}

export function offsetOf(log: FakePartition, position: Position): number {
  if (position === "earliest") return log.logStartOffset;
  if (position === "latest") return log.end;
  if (typeof position === "number") return position;
  const records = log.batches.flatMap((batch) => [...batch]);
  return records.find(({ timestamp }) => timestamp >= position.time)?.offset ?? log.end;
}
