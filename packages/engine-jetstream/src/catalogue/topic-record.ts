/** A topic as it is stored in the bucket. See docs/format/jetstream.md. */
import { NotALogStoreError, UnsupportedFormatVersionError } from "@logstore/codec";
import type { TopicConfig } from "@logstore/core/engine";

const VERSION = 1;

export interface TopicRecord {
  /** UUID. */
  readonly id: string;
  readonly partitions: number;
  readonly partitioner: string;
  readonly config: TopicConfig;
}

export function encodeTopic(record: TopicRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ version: VERSION, ...record }));
}

/** @throws NotALogStoreError, UnsupportedFormatVersionError */
export function decodeTopic(topic: string, value: Uint8Array): TopicRecord {
  let decoded: (TopicRecord & { version?: number }) | undefined;
  try {
    decoded = JSON.parse(Buffer.from(value).toString());
  } catch {
    // said below
  }
  if (decoded?.version === undefined) {
    throw new NotALogStoreError(`the key of topic ${topic} in NATS holds no topic`, { topic });
  }
  const { version, ...record } = decoded;
  if (version === VERSION) return record;
  throw new UnsupportedFormatVersionError(
    `topic ${topic} has format version ${version} in NATS, and this release reads ${VERSION}: use a newer release`,
    { topic, expected: VERSION, actual: version },
  );
}
