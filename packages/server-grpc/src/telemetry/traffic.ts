/**
 * Counters of traffic as plain numbers: counting costs next to nothing, and an export reads them.
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
 * The counters of a topic, as a call holds them. They stay valid when the topic is deleted, but are
 * no longer reported.
 */
export interface HeldCounts extends TopicTraffic {
  /** Number of calls that hold them. */
  calls: number;
  /** Whether the topic was deleted while a call held them. */
  isDeleted: boolean;
}

export class Traffic {
  /** The reported counters: those of topics with traffic. */
  readonly topics = new Map<string, HeldCounts>();
  /**
   * Counters without traffic, of topic names in calls in progress. A name that a peer invented is
   * dropped with its call.
   */
  readonly #named = new Map<string, HeldCounts>();
  /** Bytes of appends that have not been answered. */
  appendingBytes = 0;
  /** Bytes that were read but not accepted by the peer yet. */
  deliveringBytes = 0;

  /**
   * Called at the start of a call, so that one that ends after its topic was deleted does not
   * create permanent counters.
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

  /** Called at the end of a call. */
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
