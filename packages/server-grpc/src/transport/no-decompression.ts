/**
 * Refuses compressed gRPC messages. grpc-js would decompress them on all calls at once, each up to
 * the largest message: a peer that sends some megabytes could make the server hold gigabytes.
 * Records are compressed in their batches instead.
 */
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";

/**
 * Refuses a compressed message with UNIMPLEMENTED, as gRPC specifies for a compression that a
 * server does not support. An uncompressed message is accepted, whatever the headers of its call
 * announce.
 */
export const noDecompression: ServerInterceptor = (_method, call) => {
  const base = baseCallOf(call);
  if (base !== undefined && base.incomingEncoding !== "identity")
    base.incomingEncoding += ", which this server does not support";
  return call as ServerInterceptingCall;
};
