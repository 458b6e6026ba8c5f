/**
 * A partition's state of its producers, so that a batch that is resent is appended once. A producer
 * numbers its records for a partition consecutively, modulo 2^32, starting at any number. A higher
 * epoch starts a new sequence.
 */
import { NO_PRODUCER_ID, OutOfOrderSequenceError, ProducerFencedError, type RecordBatch } from "@logstore/codec";

/** Number of batches that a producer may have in flight, each of which may be resent. */
const REMEMBERED_BATCHES = 5;
/** The least recently used producers are forgotten first. */
const MAX_PRODUCERS = 10_000;
const SEQUENCES = 2 ** 32;

interface AppendedBatch {
  readonly baseSequence: number;
  readonly recordCount: number;
  readonly baseOffset: number;
}

interface ProducerEntry {
  readonly epoch: number;
  readonly nextSequence: number;
  /** Oldest first. */
  readonly batches: readonly AppendedBatch[];
}

/**
 * State of a producer: id, epoch, next sequence, and the base sequence, record count and base
 * offset of each of its last batches.
 */
export type ProducerSnapshot = [number, number, number, [number, number, number][]];

/** The state of a partition's producers. */
export class ProducerState {
  /** Least recently used first. */
  #producers: Map<number, ProducerEntry> | undefined;
  /**
   * The same, including batches that have offsets but are not written yet, which must not be in a
   * checkpoint.
   */
  #unwritten: Map<number, ProducerEntry> | undefined;

  constructor(snapshots: readonly ProducerSnapshot[] = []) {
    for (const [id, epoch, nextSequence, batches] of snapshots) {
      const appended = batches.map(([baseSequence, recordCount, baseOffset]) => ({
        baseSequence,
        recordCount,
        baseOffset,
      }));
      this.#producers ??= new Map();
      this.#producers.set(id, { epoch, nextSequence, batches: appended });
    }
  }

  /**
   * Returns for each batch of one append the base offset of the same batch if it was appended
   * before; undefined if the batch is new and continues its producer's sequence.
   *
   * @throws ProducerFencedError, OutOfOrderSequenceError if a batch is neither
   */
  check(batches: readonly RecordBatch[]): (number | undefined)[] {
    /** The last new batch of each producer within this append. */
    const ahead = new Map<number, RecordBatch>();
    return batches.map((batch) => {
      if (batch.producerId === NO_PRODUCER_ID) return undefined;
      const previous = ahead.get(batch.producerId);
      const known = previous === undefined ? this.#checkOne(batch) : checkFollows(batch, previous);
      if (known === undefined) ahead.set(batch.producerId, batch);
      return known;
    });
  }

  #checkOne(batch: RecordBatch): number | undefined {
    const { producerId, producerEpoch, baseSequence, recordCount } = batch;
    const known = this.#find(producerId);
    if (known === undefined || producerEpoch > known.epoch) return undefined;
    if (producerEpoch < known.epoch) throw fenced(batch, known.epoch);
    if (baseSequence === known.nextSequence) return undefined;
    const same = known.batches.find(
      (other) => other.baseSequence === baseSequence && other.recordCount === recordCount,
    );
    if (same === undefined) throw outOfOrder(batch, known.nextSequence);
    return same.baseOffset;
  }

  /** Adds a batch whose offsets are assigned; {@link written} must follow. */
  appended(batch: RecordBatch): void {
    const { producerId, producerEpoch, baseSequence, recordCount, baseOffset } = batch;
    if (producerId === NO_PRODUCER_ID) return;
    const known = this.#find(producerId);
    const earlier = known?.epoch === producerEpoch ? known.batches.slice(1 - REMEMBERED_BATCHES) : [];
    this.#unwritten ??= new Map();
    this.#unwritten.delete(producerId);
    this.#unwritten.set(producerId, {
      epoch: producerEpoch,
      nextSequence: sequenceAfter(batch),
      batches: [...earlier, { baseSequence, recordCount, baseOffset }],
    });
  }

  /** All batches added so far are in the log. */
  written(): void {
    if (this.#unwritten === undefined) return;
    this.#producers ??= new Map();
    for (const [id, entry] of this.#unwritten) {
      this.#producers.delete(id);
      this.#producers.set(id, entry);
      if (this.#producers.size > MAX_PRODUCERS) this.#producers.delete(this.#producers.keys().next().value!);
    }
    this.#unwritten = undefined;
  }

  #find(producerId: number): ProducerEntry | undefined {
    return this.#unwritten?.get(producerId) ?? this.#producers?.get(producerId);
  }

  /** The state according to the batches that are in the log. */
  snapshot(): ProducerSnapshot[] {
    return [...(this.#producers ?? [])].map(([id, { epoch, nextSequence, batches }]) => [
      id,
      epoch,
      nextSequence,
      batches.map(({ baseSequence, recordCount, baseOffset }) => [baseSequence, recordCount, baseOffset]),
    ]);
  }
}

function sequenceAfter(batch: RecordBatch): number {
  return (batch.baseSequence + batch.recordCount) % SEQUENCES;
}

/** A batch after a new one of the same producer in the same append must be new, too. */
function checkFollows(batch: RecordBatch, previous: RecordBatch): undefined {
  if (batch.producerEpoch < previous.producerEpoch) throw fenced(batch, previous.producerEpoch);
  if (batch.producerEpoch > previous.producerEpoch) return;
  if (batch.baseSequence !== sequenceAfter(previous)) throw outOfOrder(batch, sequenceAfter(previous));
}

function fenced({ producerId, producerEpoch }: RecordBatch, epoch: number): ProducerFencedError {
  return new ProducerFencedError(
    `producer ${producerId} has epoch ${producerEpoch}, and epoch ${epoch} has taken over: stop this producer`,
    { expected: epoch, actual: producerEpoch },
  );
}

function outOfOrder({ producerId, baseSequence }: RecordBatch, expected: number): OutOfOrderSequenceError {
  return new OutOfOrderSequenceError(
    `producer ${producerId} sends sequence ${baseSequence} where ${expected} is next: a batch between was lost`,
    { expected, actual: baseSequence },
  );
}
