import { type Bytes, InvalidValueError, type OptionRule, objectWith } from "@logstore/codec";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { bytes, json, type Serializer } from "./serializers.js";
import { textOf } from "./thrown.js";

/** The format of a topic's values. Without either option, values are bytes. */
export interface ValueOptions<T, Input> {
  /**
   * Validates values before they are sent and after they are read: any Standard Schema v1
   * validator, sync or async. Default: values are not validated.
   */
  readonly schema?: StandardSchemaV1<Input, T> | undefined;
  /** Makes bytes of values and values of bytes. Default: `json()` with a schema, else `bytes()`. */
  readonly value?: Serializer<T, Input> | undefined;
}

/** Options that name the format of values. */
export type ValueFormatOptions<T, Input> =
  | { readonly schema: StandardSchemaV1<Input, T> }
  | { readonly value: Serializer<T, Input> };

/** What options must name to send values of type `Input`: nothing for strings and bytes. */
export type FormatToSend<Input> = [Input] extends [Bytes] ? unknown : ValueFormatOptions<unknown, Input>;

/** What options must name so that values of type `T` can be received: nothing for bytes. */
export type FormatToReceive<T> = [Uint8Array] extends [T] ? unknown : ValueFormatOptions<T, unknown>;

/** The rule of an option that takes a serializer. */
export const serializerRule = objectWith("serialize", "deserialize");

export const valueRules: { readonly schema: OptionRule; readonly value: OptionRule } = {
  schema: (value, name) => {
    const standard = Object(value)["~standard"];
    return objectWith("validate")(standard, name) === undefined ? undefined : "a Standard Schema validator";
  },
  value: serializerRule,
};

/** A serializer and perhaps a schema as one. Every failure is an InvalidValueError. */
export class ValueFormat<T, Input> {
  readonly #schema: StandardSchemaV1<Input, T> | undefined;
  readonly #serializer: Serializer<T, Input>;

  constructor(options: ValueOptions<T, Input>) {
    this.#schema = options.schema;
    // The casts say what the defaults of the type parameters say: no serializer means bytes.
    this.#serializer = options.value ?? ((options.schema ? json<T>() : bytes()) as unknown as Serializer<T, Input>);
  }

  /** Returns a promise only where the schema does. */
  validate(value: Input): undefined | Promise<void> {
    if (this.#schema === undefined) return undefined;
    const result = this.#validate(this.#schema, value);
    if (result instanceof Promise) return result.then((result) => void outputOf(result));
    outputOf(result);
    return undefined;
  }

  /**
   * The value as given, not what the schema makes of it: consumers validate again, so transforms
   * happen there, once.
   */
  serialize(value: Input): Bytes {
    let bytes: Bytes;
    try {
      bytes = this.#serializer.serialize(value);
    } catch (cause) {
      throw invalid("a value cannot be serialized", cause);
    }
    if (typeof bytes === "string" || bytes instanceof Uint8Array) return bytes;
    throw new InvalidValueError("a value is neither string nor Uint8Array: give the producer a schema or a serializer");
  }

  deserialize(bytes: Uint8Array): T | Promise<T> {
    let value: T;
    try {
      value = this.#serializer.deserialize(bytes);
    } catch (cause) {
      throw invalid("a value cannot be deserialized", cause);
    }
    if (this.#schema === undefined) return value;
    const result = this.#validate(this.#schema, value);
    return result instanceof Promise ? result.then(outputOf) : outputOf(result);
  }

  /**
   * A validator that fails, rather than finding issues, is reported like a value that does not fit.
   */
  #validate(schema: StandardSchemaV1<Input, T>, value: unknown) {
    try {
      const result = schema["~standard"].validate(value);
      if (!(result instanceof Promise)) return result;
      return result.catch((cause: unknown) => {
        throw invalid("a schema failed", cause);
      });
    } catch (cause) {
      throw invalid("a schema failed", cause);
    }
  }
}

function invalid(what: string, cause: unknown): InvalidValueError {
  if (cause instanceof InvalidValueError) return cause;
  return new InvalidValueError(`${what}: ${textOf(cause)}`, {}, { cause });
}

function outputOf<T>(result: StandardSchemaV1.Result<T>): T {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path }) => {
    const at = path?.map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return at ? `${at}: ${message}` : message;
  });
  throw new InvalidValueError(`a value does not fit its schema: ${issues.join("; ")}`, {}, { cause: result.issues });
}
