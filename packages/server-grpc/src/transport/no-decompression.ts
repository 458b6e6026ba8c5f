/**
 * Messages are not decompressed. grpc-js would unpack whatever comes, on all calls at once and each
 * up to the largest message: a peer that sends some megabytes would have the server hold gigabytes.
 * Records that are worth it are compressed in their batches.
 */
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";

/**
 * A compressed message is answered with UNIMPLEMENTED, as gRPC has it for compressions that a
 * server does not know; one that is not compressed is taken, whatever the headers of its call
 * announce.
 */
export const noDecompression: ServerInterceptor = (_method, call) => {
  const base = baseCallOf(call);
  if (base.incomingEncoding !== "identity") base.incomingEncoding += ", which this server does not take";
  return call as ServerInterceptingCall;
};
