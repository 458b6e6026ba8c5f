/** What went through: plain numbers, so that counting costs next to nothing and exporting reads them. */
import { declaredCounts } from "@logstore/codec";

export interface TopicTraffic {
  appendedRecords: number;
  appendedBatches: number;
  appendedBytes: number;
  deliveredRecords: number;
  deliveredBatches: number;
  deliveredBytes: number;
}

export class Traffic {
  readonly topics = new Map<string, TopicTraffic>();
  /** Bytes of appends that were not answered yet. */
  appendingBytes = 0;
  /** Bytes that were read and that the peer has not taken yet. */
  deliveringBytes = 0;

  /** Only for topics that there are: what a peer makes up is not remembered. */
  of(topic: string): TopicTraffic {
    let traffic = this.topics.get(topic);
    if (traffic === undefined) {
      traffic = {
        appendedRecords: 0,
        appendedBatches: 0,
        appendedBytes: 0,
        deliveredRecords: 0,
        deliveredBatches: 0,
        deliveredBytes: 0,
      };
      this.topics.set(topic, traffic);
    }
    return traffic;
  }

  delivered(topic: string, bytes: Uint8Array): void {
    countDelivered(this.of(topic), bytes);
  }

  appended(topic: string, records: number, batches: number, bytes: number): void {
    const traffic = this.of(topic);
    traffic.appendedRecords += records;
    traffic.appendedBatches += batches;
    traffic.appendedBytes += bytes;
  }
}

export function countDelivered(traffic: TopicTraffic, bytes: Uint8Array): void {
  const { batches, records } = declaredCounts(bytes);
  traffic.deliveredRecords += records;
  traffic.deliveredBatches += batches;
  traffic.deliveredBytes += bytes.length;
}
