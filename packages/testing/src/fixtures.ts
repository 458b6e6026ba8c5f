/** Records that a test writes, and reads back. */
import type { Bytes, LogClient, ProducerRecord } from "@logstore/client";

/** Strings and bytes are written as they are, everything else as JSON. */
export type FixtureValue = Bytes | object | number | boolean | null;

/** A record to produce. */
export type FixtureRecord = ProducerRecord<FixtureValue>;

const fixture = {
  serialize: (value: FixtureValue): Bytes =>
    typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value),
  deserialize: (bytes: Uint8Array): FixtureValue => bytes,
};

/** Resolves to the position of each record, in the order of the records. */
export async function produceFixtures(client: LogClient, topic: string, records: Iterable<FixtureRecord>) {
  const producer = client.producer<FixtureValue>(topic, { value: fixture });
  try {
    return await Promise.all(Array.from(records, (record) => producer.send(record)));
  } finally {
    await producer.close();
  }
}
