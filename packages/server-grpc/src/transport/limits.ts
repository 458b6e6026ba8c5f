/** What one peer may make the server hold in memory. Sizes are bytes. */
import type { ServerOptions } from "@grpc/grpc-js";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Beside the batches of a message: its topic, its numbers, its tags. */
const MESSAGE_SLACK_BYTES = 64 * KIB;

/** `batches` of a Consume answer where the request does not say; 64 KiB to 1 MiB are equally fast, smaller ones are not. */
export const DEFAULT_CONSUME_BYTES = 256 * KIB;
/** `batches` of a Consume answer, whatever the request says. A single batch may be larger. */
export const MAX_CONSUME_BYTES = 4 * MIB;

/** How long a Fetch may wait, whatever it asks for, ms. */
export const MAX_FETCH_WAIT_MS = 60_000;

/** What all readers together may have read from the log and not yet sent. */
export const SEND_BUDGET_BYTES = 256 * MIB;

/** Requests of all ProduceStreams together that were read and whose acks HTTP/2 has not yet taken. */
export const RECEIVE_BUDGET_BYTES = 256 * MIB;

/** The same of one ProduceStream. */
export const MAX_UNACKED_BYTES = 16 * MIB;
export const MAX_UNACKED_REQUESTS = 256;

/** What a peer may send ahead, on a stream and on a connection: see receive-window.ts. */
export const RECEIVE_WINDOW_BYTES = 8 * MIB;

/**
 * Streams of a connection. A Consume stream reads one partition, so the usual hundred would be too few for a consumer of a
 * large topic, and HTTP/2 lets what is beyond the limit wait without a word. A thousand idle streams cost a few megabytes;
 * whoever reads more partitions than that at once opens a second connection.
 */
const MAX_STREAMS_PER_CONNECTION = 1_000;

/**
 * Of one connection, in MB: what waits in HTTP/2 to be sent, above all. A thousand streams that nobody reads hold 250 MB with
 * answers of the default size. Beyond the limit new streams are refused, and a peer that goes on trying is cut off.
 */
const MAX_SESSION_MEMORY_MB = 512;

/** Options for grpc-js, whose own defaults are open. `maxBatchBytes`: the largest batch that is let in. */
export function channelOptions(maxBatchBytes: number): ServerOptions {
  return {
    "grpc.max_receive_message_length": maxBatchBytes + MESSAGE_SLACK_BYTES,
    "grpc.max_send_message_length": Math.max(maxBatchBytes, MAX_CONSUME_BYTES) + MESSAGE_SLACK_BYTES,
    "grpc.max_concurrent_streams": MAX_STREAMS_PER_CONNECTION,
    "grpc-node.max_session_memory": MAX_SESSION_MEMORY_MB,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_connection_idle_ms": 300_000,
    "grpc.enable_channelz": 0,
  };
}
