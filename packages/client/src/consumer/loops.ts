import type { GroupReader } from "../group/group-reader.js";
import type { InHand } from "../group/in-flight.js";
import type { OwnedPartition } from "../group/owned-partition.js";
import { type ConsumerBatch, nextBatch } from "../reader/consumer-batch.js";
import type { ConsumerRecord, RecordFormat } from "../reader/consumer-record.js";
import { type Leaving, PullIterator } from "../reader/pull-iterator.js";
import { RecordSource } from "../reader/record-source.js";

/** Iterates over records. Each request for a record marks the one before it as processed. */
export function recordLoop<T, K>(
  reader: GroupReader<T, K>,
  format: RecordFormat<T, K>,
  inHand: InHand,
): PullIterator<ConsumerRecord<T, K>> {
  const source = new RecordSource(reader.merge, format);
  const pull = () => {
    inHand.settle();
    const record = source.pull();
    if (record === undefined) return undefined;
    const owned = source.state as OwnedPartition;
    if (!(record instanceof Promise)) {
      inHand.take(owned, record.offset + 1);
      return record;
    }
    return record.then((record) => {
      if (record === undefined || owned.isGone) return undefined;
      inHand.take(owned, record.offset + 1);
      return record;
    });
  };
  return new PullIterator(reader.merge, pull, leaving(reader, inHand));
}

/** Iterates over batches. Each request for a batch marks the one before it as processed. */
export function batchLoop<T, K>(
  reader: GroupReader<T, K>,
  format: RecordFormat<T, K>,
  inHand: InHand,
): PullIterator<ConsumerBatch<T, K>> {
  const pull = () => {
    inHand.settle();
    const next = nextBatch(reader.merge, format);
    if (next === undefined) return undefined;
    inHand.take(next.state as OwnedPartition, next.batch.nextOffset);
    return next.batch;
  };
  return new PullIterator(reader.merge, pull, leaving(reader, inHand));
}

/** Leaving a loop leaves its record or batch unprocessed. */
function leaving<T, K>(reader: GroupReader<T, K>, inHand: InHand): Leaving {
  const left = () => {
    inHand.abandon();
    return reader.leave();
  };
  return { left, body: inHand.body };
}
