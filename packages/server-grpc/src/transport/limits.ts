/** Limits on the memory that one peer can make the server hold. Sizes are in bytes. */
import type { ServerOptions } from "@grpc/grpc-js";
import type { ServerLimits } from "@logstore/protocol";
import type { UnfinishedLimits } from "./unfinished-messages.js";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Room for the fields of a message besides its batches: topic, numbers, tags. */
const MESSAGE_SLACK_BYTES = 64 * KIB;

/**
 * Size of `batches` in a Consume response if the request does not specify it; 64 KiB to 1 MiB are
 * equally fast, smaller ones are slower.
 */
export const DEFAULT_CONSUME_BYTES = 256 * KIB;
/**
 * Largest `batches` of a Consume response, whatever the request specifies. A single batch may be
 * larger.
 */
export const MAX_CONSUME_BYTES = 4 * MIB;

/** Largest request without batches. Its decoded form takes many times its length. */
export const MAX_PLAIN_REQUEST_BYTES = MIB;

/**
 * Largest number of fields in such a request, all of which are decoded in one turn of the event
 * loop. Half a million empty ones would fit into its length.
 */
export const MAX_PLAIN_REQUEST_FIELDS = 12_000;

/**
 * Largest request of grpc.health.v1 or reflection, which need no credentials: it contains a name,
 * or two numbers and a name.
 */
const MAX_OPEN_REQUEST_BYTES = 4 * KIB;

/** The largest request of a method, if it is smaller than that of a batch. */
export function maxRequestBytes(path: string): number | undefined {
  return path.startsWith("/grpc.") ? MAX_OPEN_REQUEST_BYTES : undefined;
}

/** Upper bound of `maxBatchBytes`: a message is one buffer, and its length an int32 in grpc-js. */
export const LARGEST_MAX_BATCH_BYTES = 2 ** 30;

/** Positions in a ListOffsets request: each may need a search on disk. */
export const MAX_LISTED_POSITIONS = 10_000;

/** Batches in one Produce request, which are all processed in one turn of the event loop. */
export const MAX_BATCHES_PER_REQUEST = 2_000;

/**
 * Partitions of a topic: each is a directory with files and a log in memory, created before the
 * call is answered.
 */
export const MAX_PARTITIONS_PER_TOPIC = 10_000;

/** Longest wait of a Fetch, whatever the request specifies, in ms. */
export const MAX_FETCH_WAIT_MS = 60_000;

/**
 * Largest size of the batches that were read from the log, for all readers together, and have not
 * been sent.
 */
export const SEND_BUDGET_BYTES = 256 * MIB;

/**
 * Largest size of the requests of all ProduceStreams and Produce calls together that were read and
 * have not been answered.
 */
export const RECEIVE_BUDGET_BYTES = 256 * MIB;

/**
 * Largest size of the requests that are read in one turn of the event loop, which is less than a
 * millisecond of work. See receive-turns.ts.
 */
export const RECEIVE_TURN_BYTES = 256 * KIB;

/** Largest size of the requests of one ProduceStream that were read and have not been answered. */
export const MAX_UNACKED_BYTES = 16 * MIB;
export const MAX_UNACKED_REQUESTS = 256;

/**
 * Returns the largest size of the appends that may wait for the quota of one principal: a fraction
 * of the receive budget, so that a few delayed principals do not block the others. At least the
 * largest append may wait.
 */
export function quotaWaitingBytes(receiveBudgetBytes: number, maxBatchBytes: number): number {
  return Math.max(receiveBudgetBytes / 8, maxBatchBytes);
}

/**
 * Limits on incomplete messages, and on requests whose end has not arrived, for one connection and
 * for all. Each message may have the maximum length, and a connection may have a thousand of them:
 * a peer that starts them all and completes none would make the server hold 16 GB. `maxBatchBytes`:
 * the largest batch accepted.
 */
export function unfinishedLimits(maxBatchBytes: number): UnfinishedLimits {
  const connectionBytes = Math.max(64 * MIB, 2 * (maxBatchBytes + MESSAGE_SLACK_BYTES));
  return { connectionBytes, totalBytes: Math.max(256 * MIB, 2 * connectionBytes) };
}

/** How much a peer may send ahead, on a stream and on a connection; see receive-window.ts. */
export const RECEIVE_WINDOW_BYTES = 8 * MIB;
/**
 * The same for a stream while several connections append. It allows 50 MB/s at a round-trip time of
 * 20 ms.
 */
export const SHARED_RECEIVE_WINDOW_BYTES = MIB;
/**
 * How long a connection must be the only one that appends before it gets the larger window again,
 * in ms.
 */
export const APPENDS_ALONE_MS = 10_000;

/**
 * Largest number of connections, each of which costs a file descriptor and some tens of KiB.
 * Principals are limited by quotas.
 */
export const MAX_CONNECTIONS = 1_000;
/** The default limit per address: a tenth of all connections is kept for other addresses. */
export function defaultPerAddress(maxConnections: number): number {
  return Math.max(1, Math.floor(maxConnections * 0.9));
}
/** A connection whose TLS handshake takes longer is closed, in ms. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/**
 * A connection on which no call is accepted for this long is closed, whatever else arrives on it,
 * in ms.
 */
export const FIRST_CALL_TIMEOUT_MS = 30_000;

/** A unary call whose request has not arrived completely after this time is ended, in ms. */
export const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Streams per connection. A Consume stream reads one partition, so that the usual hundred would be
 * too few for a consumer of a large topic, and HTTP/2 silently delays streams beyond the limit. A
 * thousand idle streams cost a few megabytes; a client that reads more partitions at once opens a
 * second connection.
 */
const MAX_STREAMS_PER_CONNECTION = 1_000;

/**
 * Memory of one connection's HTTP/2 session, in MB; mostly data that waits to be sent. A thousand
 * stalled streams hold 250 MB with responses of the default size. Beyond the limit new streams are
 * refused, and a peer that continues to open some is disconnected.
 */
const MAX_SESSION_MEMORY_MB = 512;

/** The limits that DescribeServer reports. */
export function toldLimits(maxBatchBytes: number, maxConnections = MAX_CONNECTIONS): ServerLimits {
  return {
    maxBatchBytes,
    maxMessageBytes: Math.max(maxBatchBytes, MAX_CONSUME_BYTES) + MESSAGE_SLACK_BYTES,
    maxStreamsPerConnection: MAX_STREAMS_PER_CONNECTION,
    maxConnections,
  };
}

/**
 * Options for grpc-js, whose own defaults are unlimited. `maxBatchBytes`: the largest batch
 * accepted.
 *
 * Where grpc-js has no option, the defaults of Node's HTTP/2 apply, which are limited: 128 headers
 * of some 128 KiB per call, 1,000 stream resets in a burst and 33 per second after that (rapid
 * reset), 1,000 invalid frames, 10 unanswered pings. There is no maximum connection age: streams
 * may run for months, and access is checked while they run.
 */
export function channelOptions(maxBatchBytes: number): ServerOptions {
  return {
    "grpc.max_receive_message_length": maxBatchBytes + MESSAGE_SLACK_BYTES,
    // A stored batch may exceed the current limit, and must still be sent: a reader could not get
    // past it otherwise.
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    "grpc-node.max_session_memory": MAX_SESSION_MEMORY_MB,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_connection_idle_ms": 300_000,
    "grpc.enable_channelz": 0,
  };
}
