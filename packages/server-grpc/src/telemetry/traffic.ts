/**
 * What went through: plain numbers, so that counting costs next to nothing and exporting reads
 * them.
 */
import { declaredCounts } from "@logstore/codec";

export interface TopicTraffic {
  appendedRecords: number;
  appendedBatches: number;
  appendedBytes: number;
  deliveredRecords: number;
  deliveredBatches: number;
  deliveredBytes: number;
}

/**
 * Counts of a topic as one call holds them. They stay when the topic is deleted, but nobody is told
 * of them any more.
 */
export interface HeldCounts extends TopicTraffic {
  /** Calls that hold them. */
  calls: number;
  /** Whether the topic was deleted while a call held them. */
  isDeleted: boolean;
}

export class Traffic {
  /** Counts that are told of: of topics of which something was appended or read. */
  readonly topics = new Map<string, HeldCounts>();
  /**
   * Of names of which nothing was counted yet, while calls name them. What a peer makes up is
   * forgotten with its call.
   */
  readonly #named = new Map<string, HeldCounts>();
  /** Bytes of appends that were not answered yet. */
  appendingBytes = 0;
  /** Bytes that were read and that the peer has not taken yet. */
  deliveringBytes = 0;

  /**
   * At a call's start, so that one that ends after its topic was deleted counts nothing that would
   * be kept for good.
   */
  begin(topic: string): HeldCounts {
    let counts = this.topics.get(topic) ?? this.#named.get(topic);
    if (counts === undefined) {
      counts = noTraffic();
      this.#named.set(topic, counts);
    }
    counts.calls++;
    return counts;
  }

  /** At a call's end. */
  end(topic: string, counts: HeldCounts): void {
    counts.calls--;
    if (counts.calls === 0 && this.#named.get(topic) === counts) this.#named.delete(topic);
  }

  deleted(topic: string): void {
    for (const known of [this.topics, this.#named]) {
      const counts = known.get(topic);
      if (counts !== undefined) counts.isDeleted = true;
      known.delete(topic);
    }
  }

  delivered(topic: string, counts: HeldCounts, bytes: Uint8Array): void {
    this.#tell(topic, counts);
    const { batches, records } = declaredCounts(bytes);
    counts.deliveredRecords += records;
    counts.deliveredBatches += batches;
    counts.deliveredBytes += bytes.length;
  }

  appended(topic: string, counts: HeldCounts, appended: { records: number; batches: number; bytes: number }): void {
    this.#tell(topic, counts);
    counts.appendedRecords += appended.records;
    counts.appendedBatches += appended.batches;
    counts.appendedBytes += appended.bytes;
  }

  #tell(topic: string, counts: HeldCounts): void {
    if (counts.isDeleted || this.#named.get(topic) !== counts) return;
    this.#named.delete(topic);
    this.topics.set(topic, counts);
  }
}

function noTraffic(): HeldCounts {
  return {
    appendedRecords: 0,
    appendedBatches: 0,
    appendedBytes: 0,
    deliveredRecords: 0,
    deliveredBatches: 0,
    deliveredBytes: 0,
    calls: 0,
    isDeleted: false,
  };
}
