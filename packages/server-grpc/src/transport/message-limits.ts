/**
 * The longest request of each method, so that what needs no credentials, and is a name at most,
 * cannot bring a batch's worth.
 */
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";

/**
 * @param maxBytesOf by the method's path; undefined for what holds for all of them. What is longer
 * is refused unread with RESOURCE_EXHAUSTED
 */
export function limitMessages(maxBytesOf: (path: string) => number | undefined): ServerInterceptor {
  return (method, call) => {
    const maxBytes = maxBytesOf(method.path);
    if (maxBytes !== undefined) baseCallOf(call).decoder.maxReadMessageLength = maxBytes;
    return call as ServerInterceptingCall;
  };
}
