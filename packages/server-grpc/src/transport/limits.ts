/** What one peer may make the server hold in memory. Sizes are bytes. */
import type { ServerOptions } from "@grpc/grpc-js";
import type { ServerLimits } from "@logstore/protocol";
import type { UnfinishedLimits } from "./unfinished-messages.js";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Beside the batches of a message: its topic, its numbers, its tags. */
const MESSAGE_SLACK_BYTES = 64 * KIB;

/**
 * `batches` of a Consume answer where the request does not say; 64 KiB to 1 MiB are equally fast,
 * smaller ones are not.
 */
export const DEFAULT_CONSUME_BYTES = 256 * KIB;
/** `batches` of a Consume answer, whatever the request says. A single batch may be larger. */
export const MAX_CONSUME_BYTES = 4 * MIB;

/**
 * A request without batches. Decoding one makes objects of all that is in it, many times its
 * length.
 */
export const MAX_PLAIN_REQUEST_BYTES = MIB;

/**
 * Fields of such a request, which are all decoded in one turn of the event loop. Of entries that
 * are empty, half a million would fit into it.
 */
export const MAX_PLAIN_REQUEST_FIELDS = 12_000;

/**
 * A request of grpc.health.v1 or of reflection, which need no credentials: a name, or two numbers
 * and a name.
 */
const MAX_OPEN_REQUEST_BYTES = 4 * KIB;

/** The longest request of a method, where it is not as long as a batch may be. */
export function maxRequestBytes(path: string): number | undefined {
  return path.startsWith("/grpc.") ? MAX_OPEN_REQUEST_BYTES : undefined;
}

/** What `maxBatchBytes` may be: a message is one buffer, and its length an int32 in grpc-js. */
export const LARGEST_MAX_BATCH_BYTES = 2 ** 30;

/** Positions of a ListOffsets: each may have to be looked for on the disk. */
export const MAX_LISTED_POSITIONS = 10_000;

/** Batches of one Produce request, which are all placed in one turn of the event loop. */
export const MAX_BATCHES_PER_REQUEST = 2_000;

/**
 * Partitions of a topic: each is a directory, files and a log in memory, made before the call is
 * answered.
 */
export const MAX_PARTITIONS_PER_TOPIC = 10_000;

/** How long a Fetch may wait, whatever it asks for, ms. */
export const MAX_FETCH_WAIT_MS = 60_000;

/** What all readers together may have read from the log and not yet sent. */
export const SEND_BUDGET_BYTES = 256 * MIB;

/**
 * Requests of all ProduceStreams and Produce calls together that were read and have not been
 * answered yet.
 */
export const RECEIVE_BUDGET_BYTES = 256 * MIB;

/**
 * Of them, what is read in one turn of the event loop: less than a millisecond of work. See
 * receive-turns.ts.
 */
export const RECEIVE_TURN_BYTES = 256 * KIB;

/** The same of one ProduceStream. */
export const MAX_UNACKED_BYTES = 16 * MIB;
export const MAX_UNACKED_REQUESTS = 256;

/**
 * What waits for the quota of one principal, of what all have received: a few that are slowed down
 * do not stop the others. At least the largest append may wait.
 */
export function quotaWaitingBytes(receiveBudgetBytes: number, maxBatchBytes: number): number {
  return Math.max(receiveBudgetBytes / 8, maxBatchBytes);
}

/**
 * What has come of messages that are not whole yet, and of requests whose end has not come: on all
 * calls of a connection together, and on all connections. Each message may be as long as the
 * largest, and there may be a thousand on a connection: a peer that begins them all and finishes
 * none would have the server hold 16 GB. `maxBatchBytes`: the largest batch that is let in.
 */
export function unfinishedLimits(maxBatchBytes: number): UnfinishedLimits {
  const connectionBytes = Math.max(64 * MIB, 2 * (maxBatchBytes + MESSAGE_SLACK_BYTES));
  return { connectionBytes, totalBytes: Math.max(256 * MIB, 2 * connectionBytes) };
}

/** What a peer may send ahead, on a stream and on a connection: see receive-window.ts. */
export const RECEIVE_WINDOW_BYTES = 8 * MIB;
/**
 * The same of a stream, where several connections append. A line of 20 ms carries 50 MB/s with it.
 */
export const SHARED_RECEIVE_WINDOW_BYTES = MIB;
/** How long a connection has to append alone before it has the larger window again, ms. */
export const APPENDS_ALONE_MS = 10_000;

/**
 * Connections in all, each of which costs a file descriptor and some tens of KiB. What a principal
 * may have is a quota.
 */
export const MAX_CONNECTIONS = 1_000;
/**
 * Of one address, where nothing else is said: a tenth of all connections is kept for the others.
 */
export function defaultPerAddress(maxConnections: number): number {
  return Math.max(1, Math.floor(maxConnections * 0.9));
}
/** A connection whose TLS handshake takes longer is cut off, ms. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/**
 * And so is one on which no call is let in for so long, whatever else comes or does not come on it.
 */
export const FIRST_CALL_TIMEOUT_MS = 30_000;

/** A call of one request is given up when that has not come whole for so long, ms. */
export const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Streams of a connection. A Consume stream reads one partition, so the usual hundred would be too
 * few for a consumer of a large topic, and HTTP/2 lets what is beyond the limit wait without a
 * word. A thousand idle streams cost a few megabytes; whoever reads more partitions than that at
 * once opens a second connection.
 */
const MAX_STREAMS_PER_CONNECTION = 1_000;

/**
 * Of one connection, in MB: what waits in HTTP/2 to be sent, above all. A thousand streams that
 * nobody reads hold 250 MB with answers of the default size. Beyond the limit new streams are
 * refused, and a peer that goes on trying is cut off.
 */
const MAX_SESSION_MEMORY_MB = 512;

/** What DescribeServer tells of these. */
export function toldLimits(maxBatchBytes: number, maxConnections = MAX_CONNECTIONS): ServerLimits {
  return {
    maxBatchBytes,
    maxMessageBytes: Math.max(maxBatchBytes, MAX_CONSUME_BYTES) + MESSAGE_SLACK_BYTES,
    maxStreamsPerConnection: MAX_STREAMS_PER_CONNECTION,
    maxConnections,
  };
}

/**
 * Options for grpc-js, whose own defaults are open. `maxBatchBytes`: the largest batch that is let
 * in.
 *
 * What it has no options for is as Node's HTTP/2 sets it, and that is bounded: 128 headers and some
 * 128 KiB of them a call, 1,000 streams reset in a burst and 33 a second after that (rapid reset),
 * 1,000 invalid frames, 10 pings unanswered. A connection has no greatest age: streams may run for
 * months, and access is checked while they run.
 */
export function channelOptions(maxBatchBytes: number): ServerOptions {
  return {
    "grpc.max_receive_message_length": maxBatchBytes + MESSAGE_SLACK_BYTES,
    // A batch that was stored under a higher limit is sent all the same: a reader could not pass it
    // otherwise.
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    "grpc-node.max_session_memory": MAX_SESSION_MEMORY_MB,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_connection_idle_ms": 300_000,
    "grpc.enable_channelz": 0,
  };
}
