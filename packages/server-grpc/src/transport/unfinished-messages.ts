/**
 * Limits the memory of incomplete messages: the received part of each message is held until it is
 * complete, and the whole request of a unary call until the peer half-closes.
 */
import { constants, type ServerHttp2Session } from "node:http2";
import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { MessageJoiner } from "@logstore/protocol";
import { baseCallOf, type MessageDecoder } from "./base-call.js";
import type { CallRefused } from "./call-refused.js";

export interface UnfinishedLimits {
  /** Per connection. */
  readonly connectionBytes: number;
  /** Of all connections together. */
  readonly totalBytes: number;
}

/**
 * Resets the call that exceeds the limit with ENHANCE_YOUR_CALM, which in gRPC means
 * RESOURCE_EXHAUSTED, and frees what it holds. The call may be retried when others have completed.
 */
export function boundUnfinished(limits: UnfinishedLimits, onReset: CallRefused): ServerInterceptor {
  const heldBySession = new WeakMap<ServerHttp2Session, number>();
  let heldInAll = 0;
  return (method, call) => {
    const base = baseCallOf(call);
    if (base === undefined) return call as ServerInterceptingCall;
    const { stream, decoder } = base;
    const session = stream.session as ServerHttp2Session;
    let held = 0;
    /** Bytes of complete messages that wait for the end of the request. */
    let whole = 0;
    const hold = (bytes: number): void => {
      heldBySession.set(session, (heldBySession.get(session) ?? 0) + bytes - held);
      heldInAll += bytes - held;
      held = bytes;
    };
    const isBeyond = () => heldInAll > limits.totalBytes || (heldBySession.get(session) ?? 0) > limits.connectionBytes;
    whenReceived(decoder, (messages) => {
      if (stream.closed) return; // data of a call that was reset is not counted
      if (!method.requestStream) for (const message of messages) whole += message.length;
      const unfinished = whole + heldBytes(decoder);
      if (unfinished === held) return;
      hold(unfinished);
      if (unfinished > 0 && isBeyond()) {
        hold(0);
        onReset(call.getPeer(), method.path, "too many bytes of incomplete messages");
        stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      }
    });
    stream.once("end", () => hold(0));
    stream.once("close", () => hold(0));
    return call as ServerInterceptingCall;
  };
}

/** Calls `listener` with the messages that are complete after some data has arrived. */
function whenReceived(decoder: MessageDecoder, listener: (messages: readonly Uint8Array[]) => void): void {
  const told = <Data, Message extends Uint8Array>(receive: (data: Data) => Message[]) => {
    return (data: Data): Message[] => {
      const messages = receive(data);
      listener(messages);
      return messages;
    };
  };
  if (decoder instanceof MessageJoiner) decoder.add = told(decoder.add.bind(decoder));
  else decoder.write = told(decoder.write.bind(decoder));
}

/** What the current message holds; a joined message may be in a larger buffer. */
function heldBytes(decoder: MessageDecoder): number {
  if (decoder instanceof MessageJoiner) return decoder.heldBytes;
  const { readMessageSize, readMessageRemaining } = decoder;
  return readMessageRemaining === 0 ? 0 : readMessageSize - readMessageRemaining;
}
