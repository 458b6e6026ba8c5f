/**
 * What a partition remembers of its producers, so that a batch sent twice is appended once. A producer numbers its records for
 * a partition from any number on, modulo 2^32; its batches must follow one another. A higher epoch starts a new sequence.
 */
import { NO_PRODUCER_ID, OutOfOrderSequenceError, ProducerFencedError, type RecordBatch } from "@logstore/codec";

/** A producer may have so many batches under way: any of them may come again. */
const REMEMBERED_BATCHES = 5;
/** The producers heard from longest ago are forgotten first. */
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

/** As the checkpoint holds it: id, epoch, next sequence, and base sequence, record count, base offset of each batch. */
export type ProducerSnapshot = [number, number, number, [number, number, number][]];

export class ProducerState {
  /** In the order in which they were last heard from. */
  readonly #producers = new Map<number, ProducerEntry>();

  constructor(snapshots: readonly ProducerSnapshot[] = []) {
    for (const [id, epoch, nextSequence, batches] of snapshots) {
      const appended = batches.map(([baseSequence, recordCount, baseOffset]) => ({
        baseSequence,
        recordCount,
        baseOffset,
      }));
      this.#producers.set(id, { epoch, nextSequence, batches: appended });
    }
  }

  /**
   * For each batch of one append: the base offset of the same batch where it was appended before; undefined where it is new
   * and next.
   *
   * @throws ProducerFencedError, OutOfOrderSequenceError where a batch is neither
   */
  check(batches: readonly RecordBatch[]): (number | undefined)[] {
    const found: (number | undefined)[] = [];
    for (const [i, batch] of batches.entries()) {
      const previous = found.at(-1) === undefined ? batches[i - 1] : undefined;
      if (batch.producerId === NO_PRODUCER_ID) found.push(undefined);
      else if (previous?.producerId === batch.producerId && previous.producerEpoch === batch.producerEpoch) {
        // Behind a new batch of the same append, which is not remembered yet.
        if (batch.baseSequence !== sequenceAfter(previous)) throw outOfOrder(batch, sequenceAfter(previous));
        found.push(undefined);
      } else found.push(this.#checkOne(batch));
    }
    return found;
  }

  #checkOne(batch: RecordBatch): number | undefined {
    const { producerId, producerEpoch, baseSequence, recordCount } = batch;
    const known = this.#producers.get(producerId);
    if (known === undefined || producerEpoch > known.epoch) return undefined;
    if (producerEpoch < known.epoch) {
      throw new ProducerFencedError(
        `producer ${producerId} has epoch ${producerEpoch}, and epoch ${known.epoch} has taken over: stop this producer`,
        { expected: known.epoch, actual: producerEpoch },
      );
    }
    if (baseSequence === known.nextSequence) return undefined;
    const same = known.batches.find(
      (other) => other.baseSequence === baseSequence && other.recordCount === recordCount,
    );
    if (same === undefined) throw outOfOrder(batch, known.nextSequence);
    return same.baseOffset;
  }

  /** Remembers a batch whose offsets are assigned. */
  appended(batch: RecordBatch): void {
    const { producerId, producerEpoch, baseSequence, recordCount, baseOffset } = batch;
    if (producerId === NO_PRODUCER_ID) return;
    const known = this.#producers.get(producerId);
    const earlier = known?.epoch === producerEpoch ? known.batches.slice(1 - REMEMBERED_BATCHES) : [];
    this.#producers.delete(producerId);
    this.#producers.set(producerId, {
      epoch: producerEpoch,
      nextSequence: sequenceAfter(batch),
      batches: [...earlier, { baseSequence, recordCount, baseOffset }],
    });
    if (this.#producers.size > MAX_PRODUCERS) this.#producers.delete(this.#producers.keys().next().value!);
  }

  snapshot(): ProducerSnapshot[] {
    return [...this.#producers].map(([id, { epoch, nextSequence, batches }]) => [
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

function outOfOrder({ producerId, baseSequence }: RecordBatch, expected: number): OutOfOrderSequenceError {
  return new OutOfOrderSequenceError(
    `producer ${producerId} sends sequence ${baseSequence} where ${expected} is next: a batch between was lost`,
    { expected, actual: baseSequence },
  );
}
