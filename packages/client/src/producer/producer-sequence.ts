import type { ProducerStamp } from "@logstore/codec";

const MAX_EPOCH = 2 ** 16 - 1;

/** Returns a random producer id of 52 bits. */
export function randomProducerId(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number];
  return (high >>> 12) * 2 ** 32 + low;
}

/**
 * Assigns sequence numbers to a producer's records in one partition, by which the log recognizes
 * repeated and missing batches.
 */
export class ProducerSequence {
  /** Whether the log has accepted a batch of this epoch. */
  isKnown = false;
  #producerId: number;
  #producerEpoch = 0;
  #nextSequence = 0;

  constructor(producerId: number) {
    this.#producerId = producerId;
  }

  /** Returns the numbers for the next batch to be sent. */
  stamp(recordCount: number): ProducerStamp {
    const baseSequence = this.#nextSequence;
    this.#nextSequence = (baseSequence + recordCount) % 2 ** 32;
    return { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence };
  }

  /** Begins a new epoch after a batch was lost, because nothing can follow it in its sequence. */
  startAnew(): void {
    this.isKnown = false;
    this.#nextSequence = 0;
    if (this.#producerEpoch++ < MAX_EPOCH) return;
    this.#producerEpoch = 0;
    this.#producerId = randomProducerId();
  }
}
