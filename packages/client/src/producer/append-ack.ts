import type { Durability } from "@logstore/protocol";

/** Where a record, or the records of one append, are in the log, and how durable they are. */
export interface AppendAck {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the record, or of the first of several. */
  readonly offset: number;
  /** One past the last record: what the next append may expect. */
  readonly nextOffset: number;
  /**
   * `flushed`: the records survive a power cut. `written`: they survive the end of the server's
   * process.
   */
  readonly durability: Durability;
}
