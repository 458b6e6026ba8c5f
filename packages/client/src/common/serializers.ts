import { type Bytes, InvalidValueError } from "@logstore/codec";

/**
 * How values (or keys) become bytes and back. Either side may throw: the error becomes the cause of
 * an InvalidValueError. `Input` is what may be sent, where that is more than what is received.
 */
export interface Serializer<T, Input = T> {
  serialize(value: Input): Bytes;
  /** `bytes` is a view of a buffer that other records lie in. */
  deserialize(bytes: Uint8Array): T;
}

/** JSON. The type is taken on trust: give a schema to have values checked. */
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

/** Strings, as UTF-8. Bytes that are not UTF-8 are refused on reading. */
export function text(): Serializer<string> {
  return { serialize: (value) => value, deserialize: (bytes) => decoder.decode(bytes) };
}

/**
 * Strings or bytes are sent as they are, and received as views: copy them to keep them. The
 * default.
 */
export function bytes(): Serializer<Uint8Array, Bytes> {
  return { serialize: (value) => value, deserialize: (bytes) => bytes };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
