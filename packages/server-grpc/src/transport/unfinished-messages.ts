/** Bounds what a connection may have begun to send and not finished: grpc-js holds what has come of each message until it is whole. */
import { constants, type ServerHttp2Session } from "node:http2";
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";
import type { CallRefused } from "./call-refused.js";

/**
 * Beyond so many bytes on a connection, the call that went beyond is reset with ENHANCE_YOUR_CALM, which gRPC knows as
 * RESOURCE_EXHAUSTED, and what it holds is let go of.
 */
export function boundUnfinished(maxBytes: number, onReset: CallRefused): ServerInterceptor {
  const heldBySession = new WeakMap<ServerHttp2Session, number>();
  return (method, call) => {
    const { stream, decoder } = baseCallOf(call);
    const session = stream.session as ServerHttp2Session;
    const write = decoder.write.bind(decoder);
    let held = 0;
    /** Returns how much the connection holds then. */
    const hold = (bytes: number): number => {
      const inAll = (heldBySession.get(session) ?? 0) + bytes - held;
      held = bytes;
      heldBySession.set(session, inAll);
      return inAll;
    };
    decoder.write = (data) => {
      const messages = write(data);
      const { readMessageSize, readMessageRemaining } = decoder;
      const unfinished = readMessageRemaining === 0 ? 0 : readMessageSize - readMessageRemaining;
      if (unfinished !== held && hold(unfinished) > maxBytes && unfinished > 0) {
        onReset(call.getPeer(), method.path, `its connection has more than ${maxBytes} bytes of unfinished messages`);
        stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      }
      return messages;
    };
    stream.once("close", () => hold(0));
    return call as ServerInterceptingCall;
  };
}
