import type { AppendAck } from "@logstore/client";

/** The records appended to one partition. */
export interface PartitionOutcome {
  readonly partition: number;
  readonly records: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/** Counts acknowledgements, and keeps the first failure. */
export class Outcome {
  readonly #partitions = new Map<number, { records: number; firstOffset: number; lastOffset: number }>();
  acknowledged = 0;
  bytes = 0;
  failure: { readonly error: unknown; readonly where: string } | undefined;

  acknowledge({ partition, offset }: AppendAck, bytes: number): void {
    this.acknowledged++;
    this.bytes += bytes;
    const known = this.#partitions.get(partition);
    if (known === undefined) this.#partitions.set(partition, { records: 1, firstOffset: offset, lastOffset: offset });
    else {
      known.records++;
      known.lastOffset = Math.max(known.lastOffset, offset);
      known.firstOffset = Math.min(known.firstOffset, offset);
    }
  }

  fail(error: unknown, where: string): void {
    this.failure ??= { error, where };
  }

  get partitions(): PartitionOutcome[] {
    const all = Array.from(this.#partitions, ([partition, outcome]) => ({ partition, ...outcome }));
    return all.sort((a, b) => a.partition - b.partition);
  }
}
