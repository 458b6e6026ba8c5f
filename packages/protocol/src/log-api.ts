import type { AdminApi, PartitionBounds } from "./admin-api.js";
import type { CancelSignal } from "./ambient.js";
import type { OwnedBatches, ReadBudget } from "./batch-memory.js";
import type { Durability } from "./durability.js";
import type { GroupApi } from "./group-api.js";
import type { Position } from "./position.js";

/**
 * The API of a log store, independent of a transport. The broker in `@logstore/core` implements it;
 * `@logstore/server-grpc` serves any implementation of it; `@logstore/client` uses one, embedded or
 * over gRPC.
 *
 * Every failure is a LogStoreError with a stable code. Times are ms since the epoch. Offsets are
 * safe integers.
 */
export interface LogApi extends AdminApi, GroupApi {
  /**
   * Appends sealed batches to a partition; resolves when the requested durability is reached. Calls
   * for the same partition take effect in the order in which they are made. The batches' bytes
   * belong to the log from then on: the caller must not change them.
   */
  produce(request: ProduceRequest): Promise<ProduceAck>;

  /**
   * Reads a partition. Ends when `until` is reached; without it, never ends. Stops at once when
   * `signal` aborts or the iteration ends, even while the next event is awaited.
   */
  consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent>;

  /**
   * Reads from a partition once: resolves to the available batches, or waits a limited time for
   * some. Stops waiting when `signal` aborts.
   */
  fetch(request: FetchRequest, options?: FetchOptions): Promise<FetchResult>;

  listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]>;

  /** Returns a producer id that was never allocated before and never will be again. */
  allocateProducerId(): Promise<number>;
}

/** Sealed batches to append to a partition. Either all of them are appended or none. */
export interface ProduceRequest {
  readonly topic: string;
  /**
   * The expected id of the topic: the call fails if the topic of this name has another id. Default:
   * not checked.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
  /** Whole sealed record batches, one directly after the other. */
  readonly batches: Uint8Array;
  /**
   * Number of free bytes before `batches` in its buffer, which a transport may use for framing.
   * Default 0.
   */
  readonly headroomBytes?: number | undefined;
  /**
   * Whether nobody else uses the buffer of `batches`: the log may free it (`transfer(0)`) once it
   * has acknowledged the append. Default false. A producer sends the batches again after an error:
   * a LogApi that may lose the acknowledgement of another one passes on false.
   */
  readonly isOwned?: boolean | undefined;
  /** Default: the topic's. */
  readonly durability?: Durability | undefined;
  /** The append is refused if this is not the log end offset. */
  readonly expectedOffset?: number | undefined;
}

/** The result of a ProduceRequest: the records' offsets and the durability reached. */
export interface ProduceAck {
  readonly baseOffset: number;
  /** Offset after the last record appended. */
  readonly nextOffset: number;
  readonly durability: Durability;
  /** The same batches had been appended before: this repeats their original ack. */
  readonly duplicate: boolean;
  /** The current log end offset: the offset after the last record of the log. */
  readonly logEndOffset: number;
}

/** A request to read a partition from a position on, including records that are appended later. */
export interface ConsumeRequest {
  readonly topic: string;
  /**
   * The expected id of the topic: the call fails if the topic of this name has another id. Default:
   * not checked.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
  /** Default "earliest". */
  readonly from?: Position | undefined;
  /**
   * The iteration ends before this position, which is resolved at the start. Default: it never
   * ends.
   */
  readonly until?: Position | undefined;
  /** Largest `batches` of an event, in bytes; a single batch may exceed it. */
  readonly maxBytes?: number | undefined;
  /**
   * Whether `caughtUp` may be omitted after batches that end at the `highWatermark` of their event.
   * A server of an earlier release sends it nevertheless. Default false.
   */
  readonly seesCaughtUp?: boolean | undefined;
}

/** Local options of `consume`, which are not part of the request. */
export interface ConsumeOptions {
  readonly signal?: CancelSignal | undefined;
  /**
   * Preferred number of free bytes before `batches` in its buffer, for a transport's framing.
   * Default 0.
   */
  readonly headroomBytes?: number | undefined;
  /**
   * Whether the next batches are read while the caller processes the current ones. Default true.
   */
  readonly readAhead?: boolean | undefined;
  /**
   * A memory budget shared with other readers, from which each read takes its bytes. Default: only
   * `maxBytes` limits a read.
   */
  readonly budget?: ReadBudget | undefined;
}

/** An event of `consume`. */
export type ConsumeEvent = BatchesEvent | CaughtUpEvent | HeartbeatEvent | LogStartMovedEvent | GapEvent;

/**
 * The end of the log when an event was created. A reader's lag is one of these offsets minus its
 * position.
 */
export interface LogEnds {
  /** Offset after the last record that may be read. */
  readonly highWatermark: number;
  /** Offset after the last record appended. */
  readonly logEndOffset: number;
}

/**
 * Whole batches. The first one may begin before the requested position, and the last one may extend
 * beyond the end.
 */
export interface BatchesEvent extends LogEnds, OwnedBatches {
  readonly type: "batches";
}

/** The reader has received everything up to the high watermark. */
export interface CaughtUpEvent extends LogEnds {
  readonly type: "caughtUp";
}

/** There were no other events for a while. */
export interface HeartbeatEvent extends LogEnds {
  readonly type: "heartbeat";
}

/** The reader's position has been deleted: reading continues at the log start offset. */
export interface LogStartMovedEvent extends LogEnds {
  readonly type: "logStartMoved";
  readonly logStartOffset: number;
}

/** A range of offsets without records, which were lost to damage and removed by a repair. */
export interface OffsetGap {
  readonly firstOffset: number;
  /** Offset after the last one of the gap. */
  readonly nextOffset: number;
}

/** The reader's position is in a gap: reading continues at its `nextOffset`. */
export interface GapEvent extends LogEnds, OffsetGap {
  readonly type: "gap";
}

/** A request to read batches of a partition once, without a stream. */
export interface FetchRequest {
  readonly topic: string;
  /**
   * The expected id of the topic: the call fails if the topic of this name has another id. Default:
   * not checked.
   */
  readonly topicId?: string | undefined;
  readonly partition: number;
  /** Default "earliest". */
  readonly from?: Position | undefined;
  /** Largest `batches` of the result, in bytes; a single batch may exceed it. */
  readonly maxBytes?: number | undefined;
  /** The call waits until at least this many bytes are available. Default 1. */
  readonly minBytes?: number | undefined;
  /** The longest time to wait for `minBytes`, in ms. Default 0. */
  readonly maxWaitMs?: number | undefined;
}

/** Options of `fetch` that are not sent. */
export type FetchOptions = Pick<ConsumeOptions, "signal" | "headroomBytes" | "budget">;

/**
 * The result of a fetch; `batches` may be empty. The first batch may begin before the requested
 * position.
 */
export interface FetchResult extends PartitionBounds, OwnedBatches {
  /**
   * The position at which to continue: after the last record of `batches`; without batches, the
   * offset to which `from` was resolved.
   */
  readonly nextOffset: number;
  /** Gaps between the requested position and `nextOffset`, in order. Default: none. */
  readonly gaps?: readonly OffsetGap[] | undefined;
}

/** Positions to look up in partitions of a topic. */
export interface ListOffsetsRequest {
  readonly topic: string;
  /**
   * The expected id of the topic: the call fails if the topic of this name has another id. Default:
   * not checked.
   */
  readonly topicId?: string | undefined;
  readonly partitions: readonly { readonly partition: number; readonly position: Position }[];
}

/**
 * The offset to which a position was resolved, and the partition's bounds at that time. If they
 * have `damage`, an offset that was resolved from "latest" or a time, and is not below the high
 * watermark, is not the end of the log: read without `until`, and the read fails at the damage.
 */
export interface PartitionOffset extends PartitionBounds {
  /** The id of the topic. */
  readonly topicId?: string | undefined;
  readonly partition: number;
  readonly offset: number;
}
