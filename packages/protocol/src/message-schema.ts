/**
 * Encodes and decodes messages as the compiled .proto files describe them. Messages are the same
 * objects as those of `@grpc/proto-loader` with the options of proto-files.ts. That library takes a
 * quarter of the time in which a client starts, most of it to generate code for messages of which a
 * program uses a few, a few times.
 */
import type { MessageCodec } from "./message-codec.js";
import { FieldReader, FieldWriter } from "./protobuf.js";
import { type Kind, messageKind, scalarKinds } from "./value-kinds.js";

/** The parsed .proto files, as `@logstore/protocol/descriptors` has them. */
export interface Descriptors {
  readonly nested: { readonly [name: string]: object };
}

/** A method of a service. */
export interface MethodSchema {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly request: MessageCodec;
  readonly response: MessageCodec;
}

/** A namespace, message, enum or service of the parsed files. */
interface Entry {
  readonly nested?: { readonly [name: string]: Entry };
  readonly fields?: {
    readonly [name: string]: {
      readonly type: string;
      readonly id: number;
      readonly rule?: "repeated";
    };
  };
  readonly oneofs?: { readonly [name: string]: { readonly oneof: readonly string[] } };
  readonly methods?: {
    readonly [name: string]: {
      readonly requestType: string;
      readonly responseType: string;
      readonly requestStream?: boolean;
      readonly responseStream?: boolean;
    };
  };
}

interface Field {
  readonly name: string;
  readonly id: number;
  readonly isRepeated: boolean;
  /** Whether it is optional or part of a oneof: then absence differs from the default value. */
  readonly hasPresence: boolean;
  readonly kind: Kind;
}

const PACKAGE = "logstore.v1";

/** The messages and services of the parsed .proto files; each is prepared when it is used first. */
export class MessageSchema {
  readonly #root: Entry;
  readonly #codecs = new Map<string, MessageCodec>();

  constructor(descriptors: Descriptors) {
    this.#root = descriptors as Entry;
  }

  /** @param name of a message of LogStore, or the full name of another one */
  message(name: string): MessageCodec {
    let codec = this.#codecs.get(name);
    if (codec === undefined) {
      codec = this.#codecOf(this.#entry(name));
      this.#codecs.set(name, codec);
    }
    return codec;
  }

  /** The methods of a service by name. */
  methods(service: string): { readonly [method: string]: MethodSchema } {
    const methods = Object.entries(this.#entry(service).methods ?? {}).map(([name, method]) => {
      const { requestType, responseType, requestStream = false, responseStream = false } = method;
      const [request, response] = [this.#lazily(requestType), this.#lazily(responseType)];
      const path = `/${PACKAGE}.${service}/${name}`;
      return [name, { path, requestStream, responseStream, request, response }] as const;
    });
    return Object.fromEntries(methods);
  }

  #lazily(name: string): MessageCodec {
    return {
      encode: (message) => this.message(name).encode(message),
      decode: (bytes) => this.message(name).decode(bytes),
    };
  }

  #entry(name: string): Entry {
    const path = name.includes(".") ? name : `${PACKAGE}.${name}`;
    const entry = path.split(".").reduce<Entry | undefined>((within, part) => within?.nested?.[part], this.#root);
    if (entry === undefined) throw new RangeError(`the .proto files have no ${path}`);
    return entry;
  }

  #codecOf({ fields = {}, oneofs = {} }: Entry): MessageCodec {
    const present = new Set(Object.values(oneofs).flatMap(({ oneof }) => oneof));
    const all = Object.entries(fields).map(([name, { id, type, rule }]): Field => {
      return { name, id, isRepeated: rule === "repeated", hasPresence: present.has(name), kind: this.#kindOf(type) };
    });
    const byId = new Map(all.map((field) => [field.id, field]));
    return { encode: (message) => encode(all, message), decode: (bytes) => decode(all, byId, bytes) };
  }

  #kindOf(type: string): Kind {
    const scalar = scalarKinds[type];
    if (scalar !== undefined) return scalar;
    return this.#entry(type).fields === undefined ? scalarKinds["enum"]! : messageKind(this.#lazily(type));
  }
}

function encode(fields: readonly Field[], message: object): Uint8Array {
  const writer = new FieldWriter();
  for (const { name, id, isRepeated, hasPresence, kind } of fields) {
    const value: unknown = message[name as keyof typeof message];
    if (value === undefined || value === null) continue;
    if (!isRepeated) kind.write(writer, id, value, hasPresence);
    else for (const one of value as Iterable<unknown>) kind.write(writer, id, one, true);
  }
  return writer.bytes;
}

function decode(fields: readonly Field[], byId: ReadonlyMap<number, Field>, bytes: Uint8Array): object {
  const message: Record<string, unknown> = {};
  for (const { name, isRepeated, hasPresence, kind } of fields) {
    if (isRepeated) message[name] = [];
    else if (!hasPresence) message[name] = kind.absent;
  }
  const reader = new FieldReader(bytes);
  while (reader.next()) {
    const field = byId.get(reader.field);
    if (field === undefined) reader.skip();
    else if (field.isRepeated) append(message[field.name] as unknown[], field.kind.readRepeated(reader));
    else message[field.name] = field.kind.read(reader);
  }
  return message;
}

function append(list: unknown[], more: readonly unknown[]): void {
  for (const one of more) list.push(one);
}
