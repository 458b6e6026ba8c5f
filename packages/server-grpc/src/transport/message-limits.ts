/**
 * Limits the request size of each method, so that a call without credentials, whose request is just
 * a name, cannot send the size of a batch.
 */
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";

/**
 * @param maxBytesOf returns the limit for a method's path; undefined for the general limit. A
 * longer request is refused unread with RESOURCE_EXHAUSTED
 */
export function limitMessages(maxBytesOf: (path: string) => number | undefined): ServerInterceptor {
  return (method, call) => {
    const maxBytes = maxBytesOf(method.path);
    const base = baseCallOf(call); // undefined: the general limit applies
    if (maxBytes !== undefined && base !== undefined) base.decoder.maxReadMessageLength = maxBytes;
    return call as ServerInterceptingCall;
  };
}
