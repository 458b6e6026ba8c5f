import type { ChannelOptions } from "@grpc/grpc-js";
import { defaultBatchLimits } from "@logstore/codec";

const MIB = 1024 * 1024;
/** A batch of the largest size, and whatever surrounds it in its message. */
const maxMessageBytes = defaultBatchLimits.maxBatchBytes + 64 * 1024;

export const channelOptions: ChannelOptions = {
  // What a stream that nobody reads may hold in memory, so that ten partitions stay within some tens of MiB. The default of
  // 64 KiB halts large batches on every round trip; more than this gains little.
  "grpc-node.flow_control_window": 2 * MIB,
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": maxMessageBytes,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2000,
  // We retry ourselves, and know what may be repeated; the transport would keep a copy of all it sends for it.
  "grpc.enable_retries": 0,
  // One connection a client: two clients in a process do not share theirs.
  "grpc.use_local_subchannel_pool": 1,
};
