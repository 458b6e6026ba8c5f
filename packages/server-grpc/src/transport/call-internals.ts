/** What the server does with the internals of calls, and without them. */
import { constants, type Http2Session } from "node:http2";
import { type ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";

/** Calls `onMissing` once, at the first call, if the internals have other names. */
export function watchCallInternals(onMissing: () => void): ServerInterceptor {
  let isChecked = false;
  return (_method, call) => {
    if (!isChecked && baseCallOf(call) === undefined) onMissing();
    isChecked = true;
    return call as ServerInterceptingCall;
  };
}

/** The connection of a call; undefined if the call has ended, or the internals have other names. */
export function sessionOf(call: object): Http2Session | undefined {
  return baseCallOf(call)?.stream.session;
}

/** The public methods that end a call: of an interceptor's call, and of a handler's. */
interface Endable {
  sendStatus?(status: { readonly code: number; readonly details: string }): void;
  emit?(event: "error", status: { readonly code: number; readonly details: string }): void;
}

/**
 * Ends a call at once and drops everything that waits to be sent: its peer does not read, so that a
 * status would not arrive either. In gRPC this error code means RESOURCE_EXHAUSTED.
 */
export function resetStream(call: object): void {
  const base = baseCallOf(call);
  if (base === undefined) {
    const ended = { code: status.RESOURCE_EXHAUSTED, details: "the peer does not read" };
    const { sendStatus } = call as Endable;
    if (sendStatus !== undefined) sendStatus.call(call, ended);
    else (call as Endable).emit?.("error", ended);
    return;
  }
  const { stream } = base;
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  stream.destroy(); // frees waiting data even if the reset itself has to wait
}
