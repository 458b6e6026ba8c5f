/** What a record looks like in the topic that it is put aside in: as it was, with headers that tell where from and why. */
import { type HeaderInput, InvalidArgumentError } from "@logstore/codec";
import type { ConsumerRecord } from "../consumer/consumer-record.js";

const MAX_NAME_LENGTH = 249;
const MAX_REASON_LENGTH = 1_000;
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
/** Tells that a record was replayed, and from which record of a parked topic: `<topic>/<partition>/<offset>`. */
export const REPLAYED_HEADER = "logstore-replayed-from";

type RawRecord = ConsumerRecord<Uint8Array, Uint8Array>;

/** A record that was put aside since it could not be processed. `topic`, `partition` and `offset` are where it came from. */
export interface ParkedRecord extends RawRecord {
  /** Message of the error that it failed with last. */
  readonly reason: string;
  /** How often it was tried. */
  readonly attempts: number;
  /** ms since the epoch. */
  readonly parkedAt: number;
  /** Where it lies in the parked topic. */
  readonly parkedOffset: number;
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

/** The headers of a record that is put aside: its own, then those that tell where from and why. */
export function parkedHeaders(
  { topic, partition, offset, headers }: RawRecord,
  { reason, attempts }: { readonly reason: string; readonly attempts: number },
  time: number,
): HeaderInput[] {
  const texts = { topic, partition, offset, reason: reason.slice(0, MAX_REASON_LENGTH), attempts, time };
  const added = Object.entries(texts).map(([key, value]) => ({
    name: names[key as keyof typeof names],
    value: String(value),
  }));
  return [...headers, ...added];
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
  };
}
