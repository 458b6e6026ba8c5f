import type { CompressionName } from "@logstore/codec";
import type { Durability } from "@logstore/protocol";

/** How a producer's senders form and send their batches. */
export interface SenderOptions {
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly deliveryTimeoutMs: number;
  readonly compression: CompressionName;
  readonly durability: Durability | undefined;
  /** Largest batch that the topic takes, bytes, as far as it is known. */
  readonly maxBatchBytes?: number | undefined;
}

/** The partition that a sender's batches go to, of the topic with this id and no later one. */
export interface SenderTarget {
  readonly topic: string;
  /** Empty where the server reports none: then it is not checked. */
  readonly topicId: string;
  readonly partition: number;
}

export interface SenderListener {
  /** Called when records are settled, with the bytes that they took of the buffer. */
  released(bytes: number): void;
  /**
   * Called when the topic was deleted, or deleted and created anew, before its records are
   * rejected.
   */
  topicGone(): void;
}
