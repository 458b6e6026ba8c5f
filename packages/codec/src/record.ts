/** Records as they are appended and as they are read. */

/** A key or value; a string is stored as UTF-8. */
export type Bytes = string | Uint8Array;

/** A record to append. */
export interface RecordInput {
  /** Determines the partition; records with the same key keep their order. Default null. */
  readonly key?: Bytes | null | undefined;
  readonly value: Bytes;
  /** A Date, or ms since the epoch. Default: now. */
  readonly timestamp?: number | Date | undefined;
  readonly headers?: readonly HeaderInput[] | undefined;
}

/** A header of a record to append. A string value is encoded as UTF-8. */
export interface HeaderInput {
  readonly name: string;
  readonly value: Bytes;
}

/** A header of a record that was read. */
export interface Header {
  readonly name: string;
  /** A view, not a copy. */
  readonly value: Uint8Array;
}

/**
 * A record as read from a batch. Key, value and header values are views of the batch's buffer; copy
 * them if they must outlive it.
 */
export interface LogRecord {
  readonly offset: number;
  /** Timestamp set by the producer, in ms since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: readonly Header[];
}
