/** The base class of errors, and their fields. */
import type { ErrorCode } from "./error-code.js";

/**
 * Details of an error: where it occurred and the values involved. Each field is set only if known.
 */
export interface ErrorFields {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
  /** Offset of the record or batch. */
  readonly offset?: number | undefined;
  readonly group?: string | undefined;
  /** File name, relative to the store's directory if it is inside it. */
  readonly file?: string | undefined;
  /** Byte position in the file or buffer. */
  readonly byte?: number | undefined;
  /** The requested value or the limit, where a comparison failed. */
  readonly expected?: number | undefined;
  /** The value found instead of `expected`. */
  readonly actual?: number | undefined;
  /** How long to wait before a retry, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** `host:port` of the broker to ask instead. */
  readonly address?: string | undefined;
}

const FIELD_NAMES = [
  "topic",
  "partition",
  "offset",
  "group",
  "file",
  "byte",
  "expected",
  "actual",
  "retryAfterMs",
  "address",
] as const satisfies readonly (keyof ErrorFields)[];

/** The base class of every error of LogStore. Programs tell errors apart by `code` or by class. */
export abstract class LogStoreError extends Error implements ErrorFields {
  /** Stable code of the error; see {@link ErrorCode}. */
  abstract readonly code: ErrorCode;
  // Only fields that were given become own properties, so that a printed error shows no undefined
  // fields.
  static {
    const absent = Object.fromEntries(FIELD_NAMES.map((name) => [name, { value: undefined, writable: true }]));
    Object.defineProperties(LogStoreError.prototype, absent);
  }
  declare readonly topic: string | undefined;
  declare readonly partition: number | undefined;
  declare readonly offset: number | undefined;
  declare readonly group: string | undefined;
  declare readonly file: string | undefined;
  declare readonly byte: number | undefined;
  declare readonly expected: number | undefined;
  declare readonly actual: number | undefined;
  declare readonly retryAfterMs: number | undefined;
  declare readonly address: string | undefined;

  constructor(message: string, fields: ErrorFields = {}, options?: ErrorOptions) {
    // An undefined cause would be printed, too.
    super(message, options?.cause === undefined ? undefined : options);
    // Not enumerable, as in Node's own errors: the stack contains the name already.
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
    Object.assign(this, given(fields));
  }

  /** The fields that were given. */
  get fields(): ErrorFields {
    return given(this);
  }

  /**
   * Returns a copy of the error with further fields, for a caller that knows more about where the
   * error occurred.
   */
  with(fields: ErrorFields): LogStoreError {
    const Class = this.constructor as ErrorClass;
    return new Class(this.message, { ...this.fields, ...fields }, { cause: this });
  }
}

function given(fields: ErrorFields): ErrorFields {
  const values: { -readonly [Name in keyof ErrorFields]: unknown } = {};
  for (const name of FIELD_NAMES) if (fields[name] !== undefined) values[name] = fields[name];
  return values as ErrorFields;
}

/** A concrete error class. */
export type ErrorClass = new (message: string, fields?: ErrorFields, options?: ErrorOptions) => LogStoreError;
