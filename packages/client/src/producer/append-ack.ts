import type { Durability } from "@logstore/protocol";

/**
 * The acknowledgement of a record, or of the records of one append: their offsets and durability.
 */
export interface AppendAck {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the record, or of the first of several. */
  readonly offset: number;
  /** Offset after the last record: the `expectedOffset` of an append that follows directly. */
  readonly nextOffset: number;
  /**
   * What the records survive: `written` a crash of the server's process, `replicated` the loss of a
   * machine, `flushed` a power failure.
   */
  readonly durability: Durability;
}
