/**
 * The format of parked records: the original record, with headers that say where it came from and
 * why it failed.
 */
import { type HeaderInput, InvalidArgumentError } from "@logstore/codec";
import type { ConsumerRecord } from "../reader/consumer-record.js";

const MAX_NAME_LENGTH = 249;
const MAX_REASON_LENGTH = 1_000;
/** Used for a record that leaves little room for headers. */
const SHORT_REASON_LENGTH = 100;
/** Names of the headers. They are part of the format of parked topics and must not change. */
const PREFIX = "logstore-parked-";
const names = {
  topic: `${PREFIX}topic`,
  partition: `${PREFIX}partition`,
  offset: `${PREFIX}offset`,
  reason: `${PREFIX}reason`,
  attempts: `${PREFIX}attempts`,
  time: `${PREFIX}time`,
} as const;
/** Id of the topic that the record came from. Records that release 0.1.0 parked lack it. */
const TOPIC_ID_HEADER = `${PREFIX}topic-id`;
/** Names the parts that were left out, if the record would have been too large. */
const LEFT_OUT_HEADER = `${PREFIX}left-out`;
/**
 * Marks a replayed record with its position in the parked topic: `<topic>/<partition>/<offset>`.
 */
export const REPLAYED_HEADER = "logstore-replayed-from";

type RawRecord = ConsumerRecord<Uint8Array, Uint8Array>;
type ParkedForm = Pick<RawRecord, "key" | "value" | "timestamp"> & { readonly headers: readonly HeaderInput[] };

/**
 * A record that was parked because it could not be processed. `topic`, `partition` and `offset` say
 * where it came from.
 */
export interface ParkedRecord extends ConsumerRecord<Uint8Array, Uint8Array> {
  /** Id of the topic that the record came from; undefined where it is not known. */
  readonly topicId: string | undefined;
  /** Message of the error of the last attempt. */
  readonly reason: string;
  /** Number of attempts. */
  readonly attempts: number;
  /** Time at which the record was parked, ms since the epoch. */
  readonly parkedAt: number;
  /** Its offset in the parked topic. */
  readonly parkedOffset: number;
  /**
   * Whether the record was too large to be parked whole: its value is empty then and its own
   * headers are missing. The original may still be in its topic.
   */
  readonly isLeftOut: boolean;
}

/** Why a record is parked. */
export interface Failure {
  /** Id of the record's topic; empty or undefined where it is not known. */
  readonly topicId?: string | undefined;
  readonly reason: string;
  readonly attempts: number;
}

/**
 * Returns the name of the topic for a group's parked records.
 *
 * @throws InvalidArgumentError where the name would be too long for a topic
 */
export function parkedTopic(topic: string, group: string): string {
  const name = `${topic}.${group}.parked`;
  if (name.length <= MAX_NAME_LENGTH) return name;
  throw new InvalidArgumentError(
    `the parked topic ${name} would have ${name.length} characters, and a topic's name may have ${MAX_NAME_LENGTH}: shorten the group's name, or set park to false`,
    { topic, group, expected: MAX_NAME_LENGTH, actual: name.length },
  );
}

/**
 * Yields the forms in which a record can be parked, the most complete first. Each is smaller than
 * the one before, for records close to the size limit.
 */
export function* parkedForms(
  record: RawRecord,
  failure: Failure,
  time: number,
): Generator<ParkedForm, void, undefined> {
  const { key, value, timestamp, headers } = record;
  for (const reasonLength of [MAX_REASON_LENGTH, SHORT_REASON_LENGTH]) {
    const added = headersOf(record, { ...failure, reason: failure.reason.slice(0, reasonLength) }, time);
    yield { key, value, timestamp, headers: [...headers, ...added] };
  }
  const reason = failure.reason.slice(0, SHORT_REASON_LENGTH);
  const added = headersOf(record, { ...failure, reason }, time);
  for (const [leftOut, key] of [
    ["value,headers", record.key],
    ["key,value,headers", null],
  ] as const) {
    const value = new Uint8Array(0);
    yield { key, value, timestamp, headers: [...added, { name: LEFT_OUT_HEADER, value: leftOut }] };
  }
}

function headersOf(
  { topic, partition, offset }: RawRecord,
  { reason, attempts, topicId }: Failure,
  time: number,
): HeaderInput[] {
  const texts = { topic, partition, offset, reason, attempts, time };
  const headers = Object.entries(texts).map(([key, value]) => ({
    name: names[key as keyof typeof names] as string,
    value: String(value),
  }));
  if (topicId) headers.push({ name: TOPIC_ID_HEADER, value: topicId });
  return headers;
}

/**
 * Parses a parked record.
 *
 * @throws InvalidArgumentError for a record that was not parked
 */
export function fromParked(record: RawRecord): ParkedRecord {
  const texts = new Map<string, string>();
  const headers = record.headers.filter(({ name, value }) => {
    if (!name.startsWith(PREFIX)) return true;
    texts.set(name, Buffer.from(value).toString());
    return false;
  });
  const textOf = (key: keyof typeof names): string => {
    const text = texts.get(names[key]);
    if (text !== undefined) return text;
    const { topic, partition, offset } = record;
    throw new InvalidArgumentError(`record ${offset} of ${topic} was not parked: it has no header ${names[key]}`, {
      topic,
      partition,
      offset,
    });
  };
  return {
    topic: textOf("topic"),
    topicId: texts.get(TOPIC_ID_HEADER),
    partition: Number(textOf("partition")),
    offset: Number(textOf("offset")),
    timestamp: record.timestamp,
    key: record.key,
    value: record.value,
    headers,
    reason: textOf("reason"),
    attempts: Number(textOf("attempts")),
    parkedAt: Number(textOf("time")),
    parkedOffset: record.offset,
    isLeftOut: texts.has(LEFT_OUT_HEADER),
  };
}
