import type { ChannelOptions } from "@grpc/grpc-js";
import { streamWindowBytes } from "./stream-window.js";

const MIB = 1024 * 1024;
/**
 * The largest batch of the protocol with its message. A server reports the limit for appends
 * (DescribeServer), but it may send batches that were stored under former, higher limits: a reader
 * with a lower limit could not get past them.
 */
const maxMessageBytes = 1024 * MIB + 64 * 1024;

export const channelOptions: ChannelOptions = {
  // Bytes that a stream may hold in memory unread. Each connection lowers this when it has many
  // streams: see stream-window.ts.
  "grpc-node.flow_control_window": streamWindowBytes(1),
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": maxMessageBytes,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2000,
  // The client retries by itself, because it knows which calls may be repeated; the transport would
  // keep a copy of everything it sends for that.
  "grpc.enable_retries": 0,
  // Two clients in one process do not share connections, so that each can count its own.
  "grpc.use_local_subchannel_pool": 1,
};

/** A connection that is silent for `keepaliveMs` has as long to answer a ping. */
export function keepaliveOptions(keepaliveMs: number): ChannelOptions {
  return { "grpc.keepalive_time_ms": keepaliveMs, "grpc.keepalive_timeout_ms": keepaliveMs };
}
