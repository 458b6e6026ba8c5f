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
  return loop(
    reader,
    inHand,
    source,
    () => source.pull(),
    (record) => record.offset + 1,
  );
}

/** Iterates over arrays of records. Each request for one marks the one before it as processed. */
export function chunkLoop<T, K>(
  reader: GroupReader<T, K>,
  format: RecordFormat<T, K>,
  inHand: InHand,
): PullIterator<ConsumerRecord<T, K>[]> {
  const source = new RecordSource(reader.merge, format);
  return loop(
    reader,
    inHand,
    source,
    () => source.pullChunk(),
    (records) => records.at(-1)!.offset + 1,
  );
}

/** @param nextOffset returns the position of the partition once the item is processed */
function loop<T, K, Item extends object>(
  reader: GroupReader<T, K>,
  inHand: InHand,
  source: RecordSource<T, K>,
  take: () => Item | Promise<Item | undefined> | undefined,
  nextOffset: (item: Item) => number,
): PullIterator<Item> {
  const pull = () => {
    inHand.settle();
    const item = take();
    if (item === undefined) return undefined;
    const owned = source.state as OwnedPartition;
    if (!(item instanceof Promise)) {
      inHand.take(owned, nextOffset(item));
      return item;
    }
    return item.then((item) => {
      if (item === undefined || owned.isGone) return undefined;
      inHand.take(owned, nextOffset(item));
      return item;
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
