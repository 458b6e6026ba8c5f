/** Reads the sealed batches of a partition. */
import type { LogApi, TopicDescription } from "@logstore/client";
import { frameBatches, type RecordBatch } from "@logstore/codec";
import { CliError } from "../errors/cli-error.js";

export interface BatchRange {
  readonly api: LogApi;
  readonly topic: TopicDescription;
  readonly partition: number;
  readonly from: number;
  readonly until: number;
  readonly signal: AbortSignal;
}

const LIMITS = { maxBatchBytes: 2 ** 30, maxRecordsBytes: 2 ** 31 - 1 };

/**
 * Yields the batches of a range, as many at a time as arrive together. The first one may begin
 * before the range, and the last one may end after it.
 *
 * @throws CliError if an offset of the range has no record
 */
export async function* batchesOf(range: BatchRange): AsyncGenerator<Iterable<RecordBatch>, void> {
  const { api, topic, partition, from, until, signal } = range;
  const request = { ...topicOf(topic), partition, from, until };
  for await (const event of api.consume(request, { signal, readAhead: true })) {
    if (event.type === "gap") throw gap(topic.topic, partition);
    if (event.type === "logStartMoved") throw deleted(topic.topic, partition);
    if (event.type === "batches") yield frameBatches(event.batches, LIMITS);
  }
  signal.throwIfAborted(); // an aborted stream ends without an error
}

/** Returns the batch that contains an offset, undefined if there is none. */
export async function batchAt(
  api: LogApi,
  topic: TopicDescription,
  partition: number,
  offset: number,
): Promise<RecordBatch | undefined> {
  const { batches } = await api.fetch({ ...topicOf(topic), partition, from: offset, maxBytes: 1 });
  return [...frameBatches(batches, LIMITS)].find((batch) => batch.nextOffset > offset);
}

/** The topic of a request, which fails if another topic has taken its name. */
export function topicOf({ topic, topicId }: TopicDescription) {
  return { topic, topicId: topicId || undefined };
}

function deleted(topic: string, partition: number): CliError {
  return new CliError(
    "OFFSET_OUT_OF_RANGE",
    `records of ${topic}, partition ${partition}, were deleted while they were read`,
    { hint: "copy again, to a new topic" },
  );
}

function gap(topic: string, partition: number): CliError {
  return new CliError(
    "OFFSETS_NOT_KEPT",
    `partition ${partition} of ${topic} has a gap where a repair cut damage out, and a copy with the same offsets cannot have one`,
    { hint: "copy to a new topic with --renumber, which gives the records new offsets" },
  );
}
