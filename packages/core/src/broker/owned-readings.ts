/** Ends the reading of partitions that have moved to another broker. */
import type { Cluster } from "../engine/cluster.js";

export interface OwnedReading {
  /** Aborted when another broker owns the partition. */
  readonly moved: AbortSignal;
  /** Call it when the reading ends. */
  end(): void;
}

export class OwnedReadings {
  readonly #cluster: Cluster;
  readonly #ends = new Set<() => void>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    cluster.onChange(() => {
      for (const endIfMoved of this.#ends) endIfMoved();
    });
  }

  begin(topicId: string, partition: number): OwnedReading {
    const moved = new AbortController();
    const endIfMoved = () => {
      // While no owner is known, readers lose nothing by staying.
      if (this.#cluster.owner(topicId, partition)?.isSelf === false) moved.abort();
    };
    this.#ends.add(endIfMoved);
    endIfMoved();
    return { moved: moved.signal, end: () => void this.#ends.delete(endIfMoved) };
  }
}
