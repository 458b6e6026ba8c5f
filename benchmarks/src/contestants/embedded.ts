/** What a log in the process itself has to do to take part. One file per contestant. */
import type { Sink, Source } from "./values.ts";

/**
 * `written`: acknowledged when the operating system has the bytes. `flushed`: when they are on
 * disk. `replicated`: when most of the servers of a cluster have them.
 */
export type Durability = "written" | "flushed" | "replicated";

export interface EmbeddedLog {
  /** How it is set up, for the reader of the figures. */
  readonly settings: string;
  /**
   * Creates a log in an empty directory.
   *
   * @param way of appending or reading, where the contestant has several
   */
  create(directory: string, options: EmbeddedOptions): Promise<OpenLog>;
}

export interface EmbeddedOptions {
  readonly durability: Durability;
  readonly compression?: "none" | "zstd";
  readonly way?: string | undefined;
  /** For LogStore: another built checkout. */
  readonly checkout?: string | undefined;
}

export interface OpenLog {
  /** Appends all batches of the source, and returns when everything is acknowledged. */
  append(source: Source): Promise<void>;
  /** Gives all values to the sink, in order. */
  read(sink: Sink): Promise<void>;
  /** Appends a single value. Several calls may be under way. */
  appendOne?(value: Buffer, sequence: number): Promise<void> | void;
  /**
   * Duration of the last `append` or `read` in ms, where the log is in a program that measures
   * itself. Undefined: what the caller measured.
   */
  lastMs?(): number | undefined;
  close(): Promise<void>;
}

/** Reads as LogStore has it: an iterable of arrays of records. */
export type Chunks = () => AsyncIterable<Iterable<{ readonly value: Uint8Array }>>;

/** Thrown by a contestant that cannot take part here; the message says what is missing. */
export class Skipped extends Error {
  override readonly name = "Skipped";
}
