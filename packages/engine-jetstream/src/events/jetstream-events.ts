/** What the engine tells the program that embeds it, for metrics and logs. */
import type { LogStoreError } from "@logstore/codec";

/** A partition of a topic, or a journal of groups. */
export interface JetStreamEventSource {
  /** Undefined for a journal. */
  readonly topic?: string | undefined;
  /** Undefined for a journal. */
  readonly partition?: number | undefined;
  /** Undefined for a partition of a topic. */
  readonly journal?: string | undefined;
}

/** This broker has taken a partition or journal over, and may write to it. */
export interface TakeoverEvent extends JetStreamEventSource {
  readonly type: "takeover";
  readonly epoch: number;
  readonly durationMs: number;
}

/** A write of this broker was refused, because another broker has taken over. */
export interface FencedEvent extends JetStreamEventSource {
  readonly type: "fenced";
  /** The epoch of this broker, which has ended. */
  readonly epoch: number;
}

/**
 * Acknowledged records are gone: NATS has lost the end of a partition's or journal's stream. Their
 * offsets are given to other records.
 */
export interface RecordsLostEvent extends JetStreamEventSource {
  readonly type: "records_lost";
  /** Offset of the first record that is gone. */
  readonly from: number;
  /** Offset after the last one that was known. */
  readonly to: number;
}

/**
 * The outcome of a write that NATS did not acknowledge is known now:
 *
 * - `stored`: the first attempt was stored;
 * - `stored_again`: a later one was;
 * - `fenced`: none was before another broker took over;
 * - `tail_lost`: none was, because the stream has lost its end;
 * - `too_large`: none was, because `max_payload` of the NATS servers was lowered.
 */
export interface OutcomeEvent extends JetStreamEventSource {
  readonly type: "outcome";
  readonly outcome: "stored" | "stored_again" | "fenced" | "tail_lost" | "too_large";
  /** Since the first attempt. */
  readonly durationMs: number;
}

/** The stream of a partition or journal has lost its quorum, or has one again. */
export interface QuorumEvent extends JetStreamEventSource {
  readonly type: "quorum";
  readonly isLost: boolean;
  /** The failure that showed it. */
  readonly error?: unknown;
}

/**
 * The lease of this broker has ended, because it could not be renewed in time, or is valid again.
 * Without a lease the broker owns nothing.
 */
export interface LeaseEvent {
  readonly type: "lease";
  readonly isLost: boolean;
}

/** An attempt to renew the lease failed. There is another one soon. */
export interface RenewalFailedEvent {
  readonly type: "renewal_failed";
  readonly error: unknown;
}

/** The owners of partitions could not be changed. Partitions may have no owner that is alive. */
export interface OwnersFailedEvent {
  readonly type: "owners_failed";
  readonly error: LogStoreError;
}

/** A NATS server could not be asked whether it syncs each message, as the options declare. */
export interface SyncUnknownEvent {
  readonly type: "sync_unknown";
  readonly error: Error;
}

/**
 * A NATS server has answered that it does not sync each message any more. The durability `flushed`
 * is not offered until the broker is restarted.
 */
export interface SyncLostEvent {
  readonly type: "sync_lost";
  readonly error: LogStoreError;
}

/** An event of {@link JetStreamEngineOptions.onEvent}. More types may be added. */
export type JetStreamEvent =
  | TakeoverEvent
  | FencedEvent
  | RecordsLostEvent
  | OutcomeEvent
  | QuorumEvent
  | LeaseEvent
  | RenewalFailedEvent
  | OwnersFailedEvent
  | SyncUnknownEvent
  | SyncLostEvent;

export type TellEvent = (event: JetStreamEvent) => void;

/** An error of the callback must not affect the engine: it is an uncaught error of the program. */
export function tellSafely(tell: TellEvent | undefined): TellEvent {
  return (event) => {
    try {
      tell?.(event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
