/** Messages of the schema are those of a standard protobuf library, in both directions. */
import { fileURLToPath } from "node:url";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { describe, expect, test } from "vitest";
import { descriptors } from "../dist/descriptors.js";
import { type MessageCodec, MessageSchema, protoDirectory, protoFiles, protoLoaderOptions } from "../src/index.js";
import { messageType } from "./loaded-proto.js";

interface Type {
  readonly fields: { readonly [name: string]: { readonly type: string; readonly rule?: string } };
  readonly oneofs?: { readonly [name: string]: { readonly oneof: readonly string[] } };
}

interface Parsed {
  readonly nested: {
    readonly logstore: { readonly nested: { readonly v1: { readonly nested: Record<string, Type> } } };
  };
}

const schema = new MessageSchema(descriptors);
const types = Object.entries((descriptors as unknown as Parsed).nested.logstore.nested.v1.nested);
const messages = types.filter(([, { fields }]) => fields !== undefined).map(([name]) => name);
const byName = new Map(types);

const seed = Number(process.env["PROTOCOL_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
let state = seed | 1;
/** A random number below the limit, repeatable by seed (xorshift). */
function below(limit: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % limit;
}
const oneOf = <T>(...values: readonly T[]) => values[below(values.length)]!;

const integers = [0, 1, 127, 128, 300, 2 ** 31 - 1, 2 ** 32, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER];
const negative = [-1, -129, -(2 ** 33), Number.MIN_SAFE_INTEGER];
const values: Record<string, () => unknown> = {
  int64: () => oneOf(...integers, ...negative),
  sint64: () => oneOf(...integers.map((value) => value % 2 ** 51), -1, -2, -300, -(2 ** 50)),
  int32: () => oneOf(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)),
  uint32: () => oneOf(0, 1, 127, 128, 2 ** 32 - 1),
  bool: () => oneOf(false, true),
  string: () => oneOf("", "topic", "zoë 🪵", "\ufeffbyte order mark", "x".repeat(300)),
  bytes: () => Buffer.from(oneOf("", "bytes")),
};

/** A random message: any field may be absent, and at most one of a oneof is present. */
function messageOf(name: string): Record<string, unknown> {
  const { fields, oneofs = {} } = byName.get(name)!;
  const chosen = new Map(Object.values(oneofs).flatMap(({ oneof }) => oneof.map((one) => [one, oneOf(...oneof)])));
  const message: Record<string, unknown> = {};
  for (const [field, { type, rule }] of Object.entries(fields)) {
    if (below(3) === 0 || (chosen.get(field) ?? field) !== field) continue;
    message[field] =
      rule === "repeated" ? Array.from({ length: below(4) }, () => randomValue(type)) : randomValue(type);
  }
  return message;
}

function randomValue(type: string): unknown {
  if (type.startsWith("google.protobuf.Any")) return { type_url: "u", value: Buffer.from("v") };
  if (type.startsWith("google.")) return { seconds: below(9), nanos: below(9) };
  if (values[type] !== undefined) return values[type]();
  return byName.get(type)!.fields === undefined ? below(5) : messageOf(type);
}

/** Without the properties that the loader adds, which name the present field of each oneof. */
function plain(name: string, message: object): object {
  const { fields } = byName.get(name)!;
  const entries = Object.entries(message).filter(([field]) => field in fields);
  return Object.fromEntries(
    entries.map(([field, value]) => {
      const { type } = fields[field]!;
      if (byName.get(type)?.fields === undefined || value === null) return [field, value];
      return [field, Array.isArray(value) ? value.map((one) => plain(type, one)) : plain(type, value)];
    }),
  );
}

/** With bytes as plain arrays: the loader makes Buffers. */
function asBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(asBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, asBytes(one)]));
}

describe.each(messages)("%s", (name) => {
  const loaded = messageType(name);
  const own = schema.message(name);

  test("is encoded and decoded as by the loader", () => {
    for (let i = 0; i < 200; i++) {
      const message = messageOf(name);
      const bytes = loaded.serialize(message);
      const expected = plain(name, loaded.deserialize(bytes));
      const context = `PROTOCOL_SEED=${seed}: ${JSON.stringify(message)}`;
      expect(asBytes(own.decode(bytes)), context).toEqual(asBytes(expected));
      const encoded = Buffer.from(own.encode(message));
      expect(asBytes(plain(name, loaded.deserialize(encoded))), context).toEqual(asBytes(expected));
    }
  });

  test("hostile bytes give a message or a RangeError", () => {
    for (let i = 0; i < 200; i++) decodedOrRefused(own, hostile(loaded.serialize(messageOf(name))));
  });
});

function hostile(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes.subarray(0, below(3) === 0 ? below(bytes.length + 1) : bytes.length));
  for (let i = below(4); i >= 0 && changed.length > 0; i--) changed[below(changed.length)] = oneOf(below(256), 0xff);
  return changed;
}

function decodedOrRefused(codec: MessageCodec, bytes: Buffer): void {
  try {
    codec.decode(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw new Error(`PROTOCOL_SEED=${seed}`, { cause: error });
  }
}

test("fields that are not known are skipped", () => {
  const known = schema.message("TopicPartition").encode({ topic: "t", partition: 7 });
  const unknown = Uint8Array.of(0xf8, 1, 5, 0xfa, 1, 1, 9, 0xfd, 1, 1, 2, 3, 4);
  expect(schema.message("TopicPartition").decode(Buffer.concat([unknown, known]))).toMatchObject({
    topic: "t",
    partition: 7,
  });
});

test("what is not a number in a numeric field is 0, and a fraction is cut off", () => {
  const sent = (offset: unknown) => schema.message("Position").decode(schema.message("Position").encode({ offset }));
  expect([Number.NaN, 1.5, "7", 1e300].map(sent)).toEqual([
    { offset: 0 },
    { offset: 1 },
    { offset: 7 },
    { offset: 2 ** 63 - 1024 },
  ]);
});

test.each(["LogService", "AdminService", "ConsumerGroupService"])(
  "the methods of %s are those of the files",
  (name) => {
    const includeDirs = [fileURLToPath(protoDirectory)];
    const loaded = loadSync([...protoFiles], { ...protoLoaderOptions, includeDirs })[`logstore.v1.${name}`];
    const shape = (methods: object) =>
      Object.entries(methods).map(([method, { path, requestStream, responseStream }]) => {
        return { method, path, requestStream, responseStream };
      });
    expect(shape(schema.methods(name))).toEqual(shape(loaded as ServiceDefinition));
  },
);

test("a message that the files do not have is named", () => {
  expect(() => schema.message("Nothing")).toThrow("logstore.v1.Nothing");
});
