import type { AdminApi, PartitionBounds } from "./admin-api.js";
import type { CancelSignal } from "./ambient.js";
import type { Durability } from "./durability.js";
import type { GroupApi } from "./group-api.js";
import type { Position } from "./position.js";

/**
 * What a log store offers, without a transport. The broker in `@logstore/core` implements it;
 * `@logstore/server-grpc` serves any implementation of it; `@logstore/client` talks to one,
 * embedded or behind gRPC.
 *
 * Every failure is a LogStoreError with a stable code. Times are ms since the epoch. Offsets are
 * safe integers.
 */
export interface LogApi extends AdminApi, GroupApi {
  /**
   * Appends sealed batches to a partition; resolves when the durability is reached. Calls for one
   * partition take effect in the order in which they are made. The batches' bytes belong to the log
   * from here on.
   */
  produce(request: ProduceRequest): Promise<ProduceAck>;

  /**
   * Reads a partition. Ends when `until` is reached, or never; stops at once when `signal` aborts
   * or the iteration ends, also while the next event is awaited.
   */
  consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent>;

  /**
   * Reads from a partition once: what there is, or what comes within a while. Stops waiting when
   * `signal` aborts.
   */
  fetch(request: FetchRequest, options?: FetchOptions): Promise<FetchResult>;

  listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]>;

  /** A producer id that was never handed out before and never will be again. */
  allocateProducerId(): Promise<number>;
}

/** Sealed batches to append to a partition: all of them or none. */
export interface ProduceRequest {
  readonly topic: string;
  /**
   * The id that the topic is known by: with another topic of that name the call fails. Default: not
   * checked.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
  /** Whole sealed record batches, end to end. */
  readonly batches: Uint8Array;
  /**
   * So many bytes before `batches` in its buffer are free, so that a transport can frame it in
   * place. Default 0.
   */
  readonly headroomBytes?: number | undefined;
  /** Default: the topic's. */
  readonly durability?: Durability | undefined;
  /** The append is refused unless this is the log end offset. */
  readonly expectedOffset?: number | undefined;
}

/** What became of a ProduceRequest: where its records are, and how durable they are. */
export interface ProduceAck {
  readonly baseOffset: number;
  /** One past the last record appended. */
  readonly nextOffset: number;
  readonly durability: Durability;
  /** The same batches were here already: this repeats their first ack. */
  readonly duplicate: boolean;
  /** One past the last record of the log now. */
  readonly logEndOffset: number;
}

/** Reads a partition from a position on, and goes on with what is appended. */
export interface ConsumeRequest {
  readonly topic: string;
  /**
   * The id that the topic is known by: with another topic of that name the call fails. Default: not
   * checked.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
  /** Default "earliest". */
  readonly from?: Position | undefined;
  /** The stream ends before this position, resolved when it starts. Default: never. */
  readonly until?: Position | undefined;
  /** Largest `batches` wanted, bytes; a single batch may be larger. */
  readonly maxBytes?: number | undefined;
}

/** Options of `consume` that are not sent. */
export interface ConsumeOptions {
  readonly signal?: CancelSignal | undefined;
  /**
   * How many bytes to leave free before `batches` in its buffer, for a transport's framing; a wish.
   * Default 0.
   */
  readonly headroomBytes?: number | undefined;
  /** Whether the next batches are read while the caller has the last ones. Default true. */
  readonly readAhead?: boolean | undefined;
  /**
   * What the reader shares with others: asked before each read. Default: nothing but `maxBytes`
   * bounds what is read.
   */
  readonly budget?: ReadBudget | undefined;
}

/**
 * Bytes of memory that many readers may hold together. A read takes them first; they are given back
 * when the memory is, which whoever got the batches says by {@link BatchesEvent.release}.
 */
export interface ReadBudget {
  /**
   * How many bytes may be read now: no more than `wantedBytes`, and no fewer than `leastBytes`,
   * since a batch is never cut. A promise where that must be waited for, which rejects when the
   * reading is over. One call at a time, and only while the reader holds nothing that it does not
   * give back meanwhile: two that waited for each other's bytes would wait for ever.
   */
  take(wantedBytes: number, leastBytes: number): number | Promise<number>;
  /** The same at once, or 0: for a reader that holds something. */
  tryTake(wantedBytes: number, leastBytes: number): number;
  giveBack(bytes: number): void;
}

/** Batches in memory that has one owner: whoever got them. */
export interface OwnedBatches {
  /** Whole batches. Nobody else writes to their buffer, for as long as they are there. */
  readonly batches: Uint8Array;
  /** So many bytes before `batches` in its buffer are free. */
  readonly headroomBytes: number;
  /**
   * Frees the buffer at once, and gives back what it took of the budget; `batches` and every view
   * of it are empty then. For whoever knows that nobody uses them any more. Without it the garbage
   * collector frees the buffer. Default: nothing is to be freed.
   */
  readonly release?: (() => void) | undefined;
}

/** What a stream of `consume` yields. */
export type ConsumeEvent = BatchesEvent | CaughtUpEvent | HeartbeatEvent | LogStartMovedEvent | GapEvent;

/**
 * How far the log went when the event was made: a reader's lag is one of these minus its position.
 */
export interface LogEnds {
  /** One past the last record that may be read. */
  readonly highWatermark: number;
  /** One past the last record appended. */
  readonly logEndOffset: number;
}

/** The first batch may begin before the position asked for, the last may go past the end. */
export interface BatchesEvent extends LogEnds, OwnedBatches {
  readonly type: "batches";
}

/** The reader has everything up to the high watermark. */
export interface CaughtUpEvent extends LogEnds {
  readonly type: "caughtUp";
}

/** Nothing happened for a while. */
export interface HeartbeatEvent extends LogEnds {
  readonly type: "heartbeat";
}

/** The position reached is gone: reading goes on at the log start offset. */
export interface LogStartMovedEvent extends LogEnds {
  readonly type: "logStartMoved";
  readonly logStartOffset: number;
}

/** Offsets without records: those were lost to damage, and cut out by a repair. */
export interface OffsetGap {
  readonly firstOffset: number;
  /** One past the last offset of the gap. */
  readonly nextOffset: number;
}

/** The position reached is in a gap: reading goes on at its `nextOffset`. */
export interface GapEvent extends LogEnds, OffsetGap {
  readonly type: "gap";
}

/** Reads batches of a partition once, without a stream. */
export interface FetchRequest {
  readonly topic: string;
  /**
   * The id that the topic is known by: with another topic of that name the call fails. Default: not
   * checked.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
  /** Default "earliest". */
  readonly from?: Position | undefined;
  /** Largest `batches` wanted, bytes; a single batch may be larger. */
  readonly maxBytes?: number | undefined;
  /** The result waits until there are so many bytes to read. Default 1. */
  readonly minBytes?: number | undefined;
  /** It waits no longer than this, ms. Default 0. */
  readonly maxWaitMs?: number | undefined;
}

/** Options of `fetch` that are not sent. */
export type FetchOptions = Pick<ConsumeOptions, "signal" | "headroomBytes" | "budget">;

/** There may be no batches. The first may begin before the position asked for. */
export interface FetchResult extends PartitionBounds, OwnedBatches {
  /**
   * Where to go on: after the last record of `batches`; where there are none, the position that
   * `from` came to.
   */
  readonly nextOffset: number;
  /** The gaps between the position asked for and `nextOffset`, in order. Default: none. */
  readonly gaps?: readonly OffsetGap[] | undefined;
}

/** Positions to look up in partitions of a topic. */
export interface ListOffsetsRequest {
  readonly topic: string;
  /**
   * The id that the topic is known by: with another topic of that name the call fails. Default: not
   * checked.
   */
  readonly topicId?: string | undefined;
  readonly partitions: readonly { readonly partition: number; readonly position: Position }[];
}

/**
 * The offset that a position came to, and the partition's bounds then. Where these have `damage`,
 * an offset that is no number of the caller's and not below the high watermark stands for "not
 * known": read without an end, and the damage ends the stream.
 */
export interface PartitionOffset extends PartitionBounds {
  /** Of the topic that was asked. */
  readonly topicId?: string | undefined;
  readonly partition: number;
  readonly offset: number;
}
