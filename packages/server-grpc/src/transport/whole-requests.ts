/**
 * A call of one request has it read, and kept, as it comes. One that never comes to its end is not waited for: what it holds,
 * times the streams that a peer may open, would be the server's memory.
 */
import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import type { CallRefused } from "./call-refused.js";

export function wholeRequests(timeoutMs: number, onGivenUp: CallRefused): ServerInterceptor {
  return (method, call) => {
    // A stream of requests may wait between two of them for as long as it likes.
    if (method.requestStream) return call as ServerInterceptingCall;
    let timer: NodeJS.Timeout | undefined;
    const details = `the request did not come within ${timeoutMs} ms`;
    const giveUp = () => {
      onGivenUp(call.getPeer(), method.path, details);
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details });
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, next) => {
            timer = setTimeout(giveUp, timeoutMs).unref();
            next(metadata);
          },
          onReceiveMessage: (message, next) => {
            clearTimeout(timer);
            next(message);
          },
          onCancel: () => clearTimeout(timer),
        }),
    });
  };
}
