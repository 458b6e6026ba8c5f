import { type Bytes, InvalidValueError } from "@logstore/codec";

/**
 * Converts values (or keys) to bytes and back. Either method may throw; the error becomes the cause
 * of an InvalidValueError. `Input` is the type of values to send, if more types are accepted than
 * received.
 */
export interface Serializer<T, Input = T> {
  serialize(value: Input): Bytes;
  /** Converts bytes to a value. `bytes` is a view of a buffer that also contains other records. */
  deserialize(bytes: Uint8Array): T;
}

/** Makes a serializer for JSON. It does not check the type of values: use a schema for that. */
export function json<T>(): Serializer<T> {
  return {
    serialize(value) {
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined) throw new InvalidValueError(`a ${typeof value} has no JSON form`);
      return text;
    },
    deserialize: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  };
}

/** Makes a serializer for strings in UTF-8. Bytes that are not UTF-8 are refused on reading. */
export function text(): Serializer<string> {
  return { serialize: (value) => value, deserialize: (bytes) => decoder.decode(bytes) };
}

/**
 * Makes a serializer that sends strings and bytes as they are and receives bytes as views: copy
 * them to keep them. This is the default format.
 */
export function bytes(): Serializer<Uint8Array, Bytes> {
  return { serialize: (value) => value, deserialize: (bytes) => bytes };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
