/**
 * What a log store offers, without a transport. The broker in `@logstore/core` implements it; `@logstore/server-grpc` serves
 * any implementation of it; `@logstore/client` talks to one, embedded or behind gRPC.
 *
 * Every failure is a LogStoreError with a stable code. Times are ms since the epoch. Offsets are safe integers.
 */
export interface LogApi {
  createTopic(request: CreateTopicRequest): Promise<TopicDescription>;
  listTopics(): Promise<TopicSummary[]>;
  describeTopic(topic: string): Promise<TopicDescription>;

  /**
   * Appends sealed batches to a partition; resolves when the durability is reached. Calls for one partition take effect in
   * the order in which they are made. The batches' bytes belong to the log from here on.
   */
  produce(request: ProduceRequest): Promise<ProduceAck>;

  /**
   * Reads a partition. Ends when `until` is reached, or never; stops at once when `signal` aborts or the iteration ends, also
   * while the next event is awaited.
   */
  consume(request: ConsumeRequest, options?: ConsumeOptions): AsyncIterable<ConsumeEvent>;

  listOffsets(request: ListOffsetsRequest): Promise<PartitionOffset[]>;
}

/** `written`: survives the process. `flushed`: survives a power cut. */
export type Durability = "written" | "flushed";

/** An offset, an end of the log, or the first record appended at a time or later. */
export type Position = number | "earliest" | "latest" | { readonly time: number };

export interface CreateTopicRequest {
  /** 1 to 249 of `A-Z a-z 0-9 . _ -`, and neither "." nor "..". */
  readonly topic: string;
  /** At least 1; never changes. */
  readonly partitions: number;
}

export interface TopicSummary {
  readonly topic: string;
  readonly partitionCount: number;
}

export interface TopicDescription {
  readonly topic: string;
  /** Name of the function that maps keys to partitions: "fnv1a-32". */
  readonly partitioner: string;
  /** One for each, in order. */
  readonly partitions: readonly PartitionDescription[];
}

export interface PartitionDescription {
  readonly partition: number;
  readonly logStartOffset: number;
  /** One past the last record that may be read. */
  readonly highWatermark: number;
  /** One past the last record appended. */
  readonly logEndOffset: number;
}

export interface ProduceRequest {
  readonly topic: string;
  readonly partition: number;
  /** Whole sealed record batches, end to end. */
  readonly batches: Uint8Array;
  /** So many bytes before `batches` in its buffer are free, so that a transport can frame it in place. Default 0. */
  readonly headroomBytes?: number | undefined;
  /** Default: the topic's. */
  readonly durability?: Durability | undefined;
  /** The append is refused unless this is the log end offset. */
  readonly expectedOffset?: number | undefined;
}

export interface ProduceAck {
  readonly baseOffset: number;
  /** One past the last record appended. */
  readonly nextOffset: number;
  readonly durability: Durability;
  /** The same batches were here already: this repeats their first ack. */
  readonly duplicate: boolean;
}

export interface ConsumeRequest {
  readonly topic: string;
  readonly partition: number;
  /** Default "earliest". */
  readonly from?: Position | undefined;
  /** The stream ends before this position, resolved when it starts. Default: never. */
  readonly until?: Position | undefined;
  /** Largest `batches` wanted, bytes; a single batch may be larger. */
  readonly maxBytes?: number | undefined;
}

export interface ConsumeOptions {
  readonly signal?: AbortSignal | undefined;
  /** How many bytes to leave free before `batches` in its buffer, for a transport's framing; a wish. Default 0. */
  readonly headroomBytes?: number | undefined;
  /**
   * Whether the bytes of an event may be overwritten as soon as the next event is asked for: right for whoever passes them on at
   * once, and saves a buffer an event. Default false: they are the caller's.
   */
  readonly reuseBuffers?: boolean | undefined;
}

export type ConsumeEvent = BatchesEvent | CaughtUpEvent | HeartbeatEvent | LogStartMovedEvent;

export interface BatchesEvent {
  readonly type: "batches";
  /** Whole batches; the first may begin before the position asked for, the last may go past the end. */
  readonly batches: Uint8Array;
  /** So many bytes before `batches` in its buffer are free. */
  readonly headroomBytes: number;
  readonly highWatermark: number;
}

/** The reader has everything up to the high watermark. */
export interface CaughtUpEvent {
  readonly type: "caughtUp";
  readonly highWatermark: number;
}

/** Nothing happened for a while. */
export interface HeartbeatEvent {
  readonly type: "heartbeat";
  readonly highWatermark: number;
}

/** The position reached is gone: reading goes on at the log start offset. */
export interface LogStartMovedEvent {
  readonly type: "logStartMoved";
  readonly logStartOffset: number;
  readonly highWatermark: number;
}

export interface ListOffsetsRequest {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly position: Position }[];
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: number;
}
