import { type Bytes, InvalidValueError, type OptionRule, objectWith } from "@logstore/codec";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { bytes, json, type Serializer } from "./serializers.js";
import { textOf } from "./thrown.js";

/** The format of values. Without either option, values are bytes. */
export interface ValueOptions<T, Input> {
  /**
   * Validates values before they are sent and after they are read: any Standard Schema v1
   * validator, sync or async. Default: no validation.
   */
  readonly schema?: StandardSchemaV1<Input, T> | undefined;
  /** Converts values to bytes and back. Default: `json()` with a schema, `bytes()` without. */
  readonly value?: Serializer<T, Input> | undefined;
}

/** Options that define the format of values: a schema, a serializer, or both. */
export type ValueFormatOptions<T, Input> =
  | { readonly schema: StandardSchemaV1<Input, T> }
  | { readonly value: Serializer<T, Input> };

/** The options required to send values of type `Input`: none for strings and bytes. */
export type FormatToSend<Input> = [Input] extends [Bytes] ? unknown : ValueFormatOptions<unknown, Input>;

/** The options required to receive values of type `T`: none for bytes. */
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

/** Combines a serializer and an optional schema. Every failure is an InvalidValueError. */
export class ValueFormat<T, Input> {
  readonly #schema: StandardSchemaV1<Input, T> | undefined;
  readonly #serializer: Serializer<T, Input>;

  constructor(options: ValueOptions<T, Input>) {
    this.#schema = options.schema;
    // The casts express the defaults of the type parameters: without a serializer, values are
    // bytes.
    this.#serializer = options.value ?? ((options.schema ? json<T>() : bytes()) as unknown as Serializer<T, Input>);
  }

  /** Returns a promise only if the schema is async. */
  validate(value: Input): undefined | Promise<void> {
    if (this.#schema === undefined) return undefined;
    const result = this.#validate(this.#schema, value);
    if (result instanceof Promise) return result.then((result) => void outputOf(result));
    outputOf(result);
    return undefined;
  }

  /**
   * Serializes the value as given, not the output of the schema: consumers validate again, so that
   * transforms happen once, there.
   */
  serialize(value: Input): Bytes {
    let bytes: Bytes;
    try {
      bytes = this.#serializer.serialize(value);
    } catch (cause) {
      throw invalid("a value cannot be serialized", cause);
    }
    if (typeof bytes === "string" || bytes instanceof Uint8Array) return bytes;
    throw new InvalidValueError(
      "a value must be a string or a Uint8Array: give a schema or a serializer to send other types",
    );
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

  /** A validator that throws is reported like a value that does not fit. */
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
