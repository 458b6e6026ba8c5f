import type { ChannelOptions } from "@grpc/grpc-js";
import { streamWindowBytes } from "./stream-window.js";

const MIB = 1024 * 1024;
/**
 * The largest batch of the protocol, and whatever surrounds it in its message. What a server takes
 * it tells (DescribeServer); what it sends was stored under its limits, present or former: a reader
 * that took less could not pass a large batch.
 */
const maxMessageBytes = 1024 * MIB + 64 * 1024;

export const channelOptions: ChannelOptions = {
  // What a stream that nobody reads may hold in memory. Each connection lowers it when streams grow
  // many: see stream-window.ts.
  "grpc-node.flow_control_window": streamWindowBytes(1),
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": maxMessageBytes,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2000,
  // We retry ourselves, and know what may be repeated; the transport would keep a copy of all it
  // sends for it.
  "grpc.enable_retries": 0,
  // Connections are counted here: two clients in a process do not share theirs.
  "grpc.use_local_subchannel_pool": 1,
};
