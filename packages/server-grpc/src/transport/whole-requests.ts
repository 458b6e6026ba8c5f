/**
 * The request of a unary call is read and held as it arrives. One that is never completed times
 * out: otherwise the streams that a peer may open could fill the server's memory.
 */

import { constants } from "node:http2";
import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { startTimer, type Timer } from "@logstore/codec";
import { baseCallOf } from "./base-call.js";
import type { CallRefused } from "./call-refused.js";

export function wholeRequests(timeoutMs: number, onGivenUp: CallRefused): ServerInterceptor {
  return (method, call) => {
    // A stream of requests may pause between two of them for any time.
    if (method.requestStream) return call as ServerInterceptingCall;
    let timer: Timer | undefined;
    const details = `the request was not complete within ${timeoutMs} ms`;
    const giveUp = () => {
      onGivenUp(call.getPeer(), method.path, details);
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details });
      // Otherwise the peer would keep its side open, and with it everything received.
      baseCallOf(call)?.stream.close(constants.NGHTTP2_NO_ERROR);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, next) => {
            timer = startTimer(timeoutMs, giveUp, { keepsAlive: false });
            next(metadata);
          },
          // A message may be complete long before: the call is answered, and frees the message,
          // only when the peer has half-closed.
          onReceiveHalfClose: (next) => {
            timer?.cancel();
            next();
          },
          onCancel: () => timer?.cancel(),
        }),
    });
  };
}
