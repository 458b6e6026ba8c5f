/** How the values of fields are encoded, by protobuf's types of those that the .proto files use. */
import type { MessageCodec } from "./message-codec.js";
import type { FieldReader, FieldWriter } from "./protobuf.js";

/** One type of values. */
export interface Kind {
  /** The decoded value of a field that is absent. */
  readonly absent: unknown;
  /** @param isExplicit whether the default value is written, too */
  write(writer: FieldWriter, field: number, value: unknown, isExplicit: boolean): void;
  read(reader: FieldReader): unknown;
  /** Reads elements of a repeated field: one, or several that are packed. */
  readRepeated(reader: FieldReader): unknown[];
}

/** The largest double below 2^63. */
const MAX_INT64 = 2 ** 63 - 1024;

export const scalarKinds: { readonly [type: string]: Kind } = {
  int64: integers(toInt64, (value) => value),
  int32: integers(toInt32, (value) => value | 0),
  uint32: integers(
    (value) => Number(value) >>> 0,
    (value) => value >>> 0,
  ),
  sint64: integers((value) => zigzag(toInt64(value)), unzigzag),
  enum: integers(toInt32, (value) => value | 0),
  bool: { ...integers(Number, (value) => value !== 0), absent: false },
  string: {
    absent: "",
    write(writer, field, value, isExplicit) {
      if (isExplicit || value !== "") writer.string(field, String(value));
    },
    ...reading((reader) => reader.string()),
  },
  bytes: {
    absent: new Uint8Array(),
    write(writer, field, value, isExplicit) {
      const bytes = value as Uint8Array;
      if (isExplicit || bytes.length > 0) writer.content(field, bytes);
    },
    ...reading((reader) => reader.view()),
  },
};

/** Nested messages. */
export function messageKind(codec: MessageCodec): Kind {
  return {
    absent: null,
    write(writer, field, value) {
      writer.content(field, codec.encode(value as object));
    },
    ...reading((reader) => codec.decode(reader.view())),
  };
}

function reading(read: Kind["read"]): Pick<Kind, "read" | "readRepeated"> {
  return { read, readRepeated: (reader) => [read(reader)] };
}

/**
 * Types that are encoded as varints.
 *
 * @param toWire converts a value to an integer
 */
function integers(toWire: (value: unknown) => number, fromWire: (value: number) => unknown): Kind {
  return {
    absent: 0,
    write(writer, field, value, isExplicit) {
      const integer = toWire(value);
      if (isExplicit) writer.presentInteger(field, integer);
      else writer.integer(field, integer);
    },
    read: (reader) => fromWire(reader.integer()),
    readRepeated: (reader) => reader.integers().map(fromWire),
  };
}

function toInt32(value: unknown): number {
  return Number(value) | 0;
}

/** What is not a number is 0, as in other protobuf libraries. */
function toInt64(value: unknown): number {
  const integer = Math.trunc(Number(value)) || 0;
  return Math.max(-MAX_INT64, Math.min(integer, MAX_INT64));
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
