/** The owners of all partitions and journals, as they are stored. See docs/format/jetstream.md. */
import { ResourceLimitExceededError } from "@logstore/codec";
import { decodeVersioned, encodeVersioned } from "../nats/versioned-json.js";

/** Names of brokers. Undefined: none, because no broker was alive. */
export type OwnerNames = readonly (string | undefined)[];

export interface Owners {
  readonly journals: OwnerNames;
  /** By topic id. */
  readonly topics: ReadonlyMap<string, OwnerNames>;
}

/** Owners are indexes of brokers; -1 stands for none. */
interface Stored {
  readonly brokers: readonly string[];
  readonly journals: readonly number[];
  readonly topics: Readonly<Record<string, readonly number[]>>;
}

/** @throws ResourceLimitExceededError if they take more than `maxBytes`, that of a NATS message */
export function encodeOwners({ journals, topics }: Owners, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
  const brokers: string[] = [];
  const indexOf = (name: string | undefined) => {
    if (name === undefined) return -1;
    const known = brokers.indexOf(name);
    return known === -1 ? brokers.push(name) - 1 : known;
  };
  const stored: Stored = {
    journals: journals.map(indexOf),
    topics: Object.fromEntries([...topics].map(([id, names]) => [id, names.map(indexOf)])),
    brokers,
  };
  const value = encodeVersioned(stored);
  if (value.length <= maxBytes) return value;
  throw new ResourceLimitExceededError(
    `the owners of all partitions take ${value.length} bytes, and a NATS message takes ${maxBytes}: ` +
      "delete topics, or raise max_payload of the NATS servers",
    { expected: maxBytes, actual: value.length },
  );
}

/** @throws NotALogStoreError, UnsupportedFormatVersionError */
export function decodeOwners(key: string, value: Uint8Array): Owners {
  const { brokers, journals, topics } = decodeVersioned<Stored>(key, value);
  const namesOf = (indexes: readonly number[]) => indexes.map((index) => brokers[index]);
  return {
    journals: namesOf(journals),
    topics: new Map(Object.entries(topics).map(([id, indexes]) => [id, namesOf(indexes)])),
  };
}
