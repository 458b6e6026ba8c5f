/**
 * Messages are not decompressed. grpc-js would unpack whatever comes, on all calls at once and each up to the largest message: a
 * peer that sends some megabytes would have the server hold gigabytes. Records that are worth it are compressed in their batches.
 */
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";

/** What grpc-js keeps of a call, and an interceptor around it. */
interface Layer {
  readonly nextCall?: Layer;
  incomingEncoding?: string;
}

/**
 * A compressed message is answered with UNIMPLEMENTED, as gRPC has it for compressions that a server does not know; one that is not
 * compressed is taken, whatever the headers of its call announce.
 */
export const noDecompression: ServerInterceptor = (_method, call) => {
  let innermost = call as unknown as Layer;
  while (innermost.nextCall !== undefined) innermost = innermost.nextCall;
  const { incomingEncoding } = innermost;
  if (incomingEncoding !== "identity")
    innermost.incomingEncoding = `${incomingEncoding}, which this server does not take`;
  return call as ServerInterceptingCall;
};
