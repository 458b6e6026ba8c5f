/**
 * What a record looks like in the topic that it is put aside in: as it was, with headers that tell
 * where from and why.
 */
import { type HeaderInput, InvalidArgumentError } from "@logstore/codec";
import type { ConsumerRecord } from "../reader/consumer-record.js";

const MAX_NAME_LENGTH = 249;
const MAX_REASON_LENGTH = 1_000;
/** Of a record that has hardly room for its headers. */
const SHORT_REASON_LENGTH = 100;
/** Names of the headers. They are part of the format of parked topics and must not be changed. */
const PREFIX = "logstore-parked-";
const names = {
  topic: `${PREFIX}topic`,
  partition: `${PREFIX}partition`,
  offset: `${PREFIX}offset`,
  reason: `${PREFIX}reason`,
  attempts: `${PREFIX}attempts`,
  time: `${PREFIX}time`,
} as const;
/** Id of the topic that the record came from. Records that release 0.1.0 parked do not have it. */
const TOPIC_ID_HEADER = `${PREFIX}topic-id`;
/** Only where the record would have been too large: what is missing of it. */
const LEFT_OUT_HEADER = `${PREFIX}left-out`;
/**
 * Tells that a record was replayed, and from which record of a parked topic:
 * `<topic>/<partition>/<offset>`.
 */
export const REPLAYED_HEADER = "logstore-replayed-from";

type RawRecord = ConsumerRecord<Uint8Array, Uint8Array>;
type ParkedForm = Pick<RawRecord, "key" | "value" | "timestamp"> & { readonly headers: readonly HeaderInput[] };

/**
 * A record that was put aside since it could not be processed. `topic`, `partition` and `offset`
 * are where it came from.
 */
export interface ParkedRecord extends ConsumerRecord<Uint8Array, Uint8Array> {
  /** Id of the topic that it came from; undefined where that is not known. */
  readonly topicId: string | undefined;
  /** Message of the error that it failed with last. */
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** ms since the epoch. */
  readonly parkedAt: number;
  /** Where it lies in the parked topic. */
  readonly parkedOffset: number;
  /**
   * The record was too large for the headers: its value is empty here and its own headers are
   * missing. It may still be where it came from.
   */
  readonly isLeftOut: boolean;
}

/** Why a record is put aside. */
export interface Failure {
  /** Id of the record's topic; empty or undefined where that is not known. */
  readonly topicId?: string | undefined;
  readonly reason: string;
  readonly attempts: number;
}

/** @throws InvalidArgumentError where the name would be too long for a topic */
export function parkedTopic(topic: string, group: string): string {
  const name = `${topic}.${group}.parked`;
  if (name.length <= MAX_NAME_LENGTH) return name;
  throw new InvalidArgumentError(
    `${name} is ${name.length} characters, and a topic's name has ${MAX_NAME_LENGTH} at most: give the group a shorter name, or do not park`,
    { topic, group, expected: MAX_NAME_LENGTH, actual: name.length },
  );
}

/**
 * What a record may look like where it is put aside, the best first: as it was, with headers that
 * tell where from and why. Each is smaller than the one before, for a record that was nearly as
 * large as one may be.
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

/** @throws InvalidArgumentError for a record that nobody parked */
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
