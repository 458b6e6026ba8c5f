/**
 * A call of one request has it read, and kept, as it comes. One that never comes to its end is not
 * waited for: what it holds, times the streams that a peer may open, would be the server's memory.
 */

import { constants } from "node:http2";
import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { startTimer, type Timer } from "@logstore/codec";
import { baseCallOf } from "./base-call.js";
import type { CallRefused } from "./call-refused.js";

export function wholeRequests(timeoutMs: number, onGivenUp: CallRefused): ServerInterceptor {
  return (method, call) => {
    // A stream of requests may wait between two of them for as long as it likes.
    if (method.requestStream) return call as ServerInterceptingCall;
    let timer: Timer | undefined;
    const details = `the request did not come within ${timeoutMs} ms`;
    const giveUp = () => {
      onGivenUp(call.getPeer(), method.path, details);
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details });
      // The peer would keep its half open, and with it all that has come.
      baseCallOf(call).stream.close(constants.NGHTTP2_NO_ERROR);
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, next) => {
            timer = startTimer(timeoutMs, giveUp, { keepsAlive: false });
            next(metadata);
          },
          // A message may be whole long before: the call is answered, and lets go of it, only when
          // nothing more can come.
          onReceiveHalfClose: (next) => {
            timer?.cancel();
            next();
          },
          onCancel: () => timer?.cancel(),
        }),
    });
  };
}
