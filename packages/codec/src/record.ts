/** What goes into a batch and what comes out. */

/** Text is stored as UTF-8. */
export type Bytes = string | Uint8Array;

/** A record to append. */
export interface RecordInput {
  /** Decides the partition, and the order among records of the same key. Default null. */
  readonly key?: Bytes | null | undefined;
  readonly value: Bytes;
  /** A Date, or ms since the epoch. Default: now. */
  readonly timestamp?: number | Date | undefined;
  readonly headers?: readonly HeaderInput[] | undefined;
}

/** A header of a record to append. A text is encoded as UTF-8. */
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
 * A record that was read. Key, value and header values are views of the batch's buffer: copy them
 * to keep them apart.
 */
export interface LogRecord {
  readonly offset: number;
  /** ms since the epoch, as its producer set it. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: readonly Header[];
}
