/**
 * Records as objects of JSON: what `read --json` writes, `produce --input records` reads. Bytes
 * that are not UTF-8 are in a field of their own, in base64.
 */
import type { ConsumerRecord, Header } from "@logstore/client";
import { base64, textOf } from "./text-or-bytes.js";

export interface RecordJson {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  /** ms since the epoch. */
  readonly timestamp?: number;
  readonly key?: string | null;
  readonly keyBase64?: string;
  readonly value?: unknown;
  readonly valueBase64?: string;
  readonly headers?: readonly HeaderJson[];
}

interface HeaderJson {
  readonly name: string;
  readonly value?: string;
  readonly valueBase64?: string;
}

/** @param parses whether a value that is JSON becomes part of the object */
export function recordJson(record: ConsumerRecord, parses = false): RecordJson {
  const { topic, partition, offset, timestamp, key, value, headers } = record;
  return {
    topic,
    partition,
    offset,
    timestamp,
    ...(key === null ? { key: null } : field("key", key)),
    ...(parses ? parsed(value) : field("value", value)),
    ...(headers.length > 0 && { headers: headers.map(headerJson) }),
  };
}

function headerJson({ name, value }: Header): HeaderJson {
  return { name, ...field("value", value) };
}

function field(name: string, bytes: Uint8Array): object {
  const text = textOf(bytes);
  return text === undefined ? { [`${name}Base64`]: base64(bytes) } : { [name]: text };
}

function parsed(bytes: Uint8Array): object {
  const text = textOf(bytes);
  if (text === undefined) return field("value", bytes);
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { value: text };
  }
}
