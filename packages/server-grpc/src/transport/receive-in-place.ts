/** See docs/decisions/0034-messages-are-received-in-place.md. */
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { MessageJoiner, receiveInPlace } from "@logstore/protocol";
import { baseCallOf } from "./base-call.js";

/**
 * Receives the requests of a method's calls in place, as far as this release of grpc-js allows it.
 *
 * @param path of a method whose requests are long and follow each other
 */
export function receiveRequestsInPlace(path: string): ServerInterceptor {
  return (method, call) => {
    const base = method.path === path ? baseCallOf(call) : undefined;
    if (base !== undefined) {
      const joiner = new MessageJoiner(base.decoder.maxReadMessageLength, Buffer.allocUnsafe);
      if (receiveInPlace(base.stream, joiner)) base.decoder = joiner;
    }
    return call as ServerInterceptingCall;
  };
}
