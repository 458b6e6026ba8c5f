import type { ProducerStamp } from "@logstore/codec";

const MAX_EPOCH = 2 ** 16 - 1;

/** A number that no other producer has: 52 random bits. */
export function randomProducerId(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number];
  return (high >>> 12) * 2 ** 32 + low;
}

/**
 * Numbers a producer's records in one partition, so that the log can tell a repeated batch, and a
 * missing one.
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

  /** For a batch of so many records, the next one to be sent. */
  stamp(recordCount: number): ProducerStamp {
    const baseSequence = this.#nextSequence;
    this.#nextSequence = (baseSequence + recordCount) % 2 ** 32;
    return { producerId: this.#producerId, producerEpoch: this.#producerEpoch, baseSequence };
  }

  /** After a batch was lost: nothing can follow in its sequence. A new epoch begins one. */
  startAnew(): void {
    this.isKnown = false;
    this.#nextSequence = 0;
    if (this.#producerEpoch++ < MAX_EPOCH) return;
    this.#producerEpoch = 0;
    this.#producerId = randomProducerId();
  }
}
