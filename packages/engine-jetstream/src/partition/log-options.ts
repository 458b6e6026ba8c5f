/** What the log of a partition is told by the engine, the topic and the cluster. */
import type { LogStoreError } from "@logstore/codec";
import type { Durability, TopicConfig } from "@logstore/core/engine";
import type { JetStreamEventSource, TellEvent } from "../events/jetstream-events.js";
import type { MessageCache } from "./message-cache.js";
import type { Ownership } from "./ownership.js";

/** The options in effect for a log. They may be altered at any time. */
export interface LogConfig extends TopicConfig {
  readonly durability: Durability;
  readonly maxBatchBytes: number;
}

/** What the logs of an engine share. */
export interface LogContext {
  readonly cache: MessageCache;
  /** For the operator. */
  readonly broker: string;
  /** Those that are offered now, weakest first. */
  readonly durabilities: readonly Durability[];
  readonly appendTimeoutMs: number;
  now(): number;
  healthChanged(): void;
  /** Why `flushed` is not offered any more; undefined if it is, or never was. */
  readonly notFlushed?: LogStoreError | undefined;
  /** Default: nobody is told. */
  readonly tell?: TellEvent | undefined;
  /** For how long requests fail before a quorum counts as lost, in ms. Default 10,000. */
  readonly quorumLostAfterMs?: number | undefined;
}

export interface LogOptions {
  /** Default: this broker shares the partition with no other. */
  readonly ownership?: Ownership | undefined;
  /** More than that is refused; Infinity: nothing is. Default {@link MAX_QUEUED_BYTES}. */
  readonly maxQueuedBytes?: number | undefined;
  /** What the log is called in events. Default: only its partition. */
  readonly source?: JetStreamEventSource | undefined;
}

export const MAX_QUEUED_BYTES = 64 * 1024 * 1024;
