/**
 * What grpc-js keeps of a call and gives nobody a way to. Looked for under the names that it has there: the tests of whoever uses this
 * tell when they change.
 */
import type { ServerHttp2Stream } from "node:http2";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";

export interface BaseCall {
  /** How compressed messages of this call are compressed. */
  incomingEncoding: string;
  readonly stream: ServerHttp2Stream;
  readonly decoder: MessageDecoder;
}

/** Puts messages together from what comes. */
export interface MessageDecoder {
  /** The messages that are whole now. */
  write(data: Buffer): Buffer[];
  /** Bytes of the message under way, and how many of them have not come yet; both 0 before its length is known. */
  readonly readMessageSize: number;
  readonly readMessageRemaining: number;
}

interface Layer {
  readonly nextCall?: Layer;
}

/** The call within all interceptors. */
export function baseCallOf(call: ServerInterceptingCallInterface): BaseCall {
  let layer = call as unknown as Layer;
  while (layer.nextCall !== undefined) layer = layer.nextCall;
  return layer as unknown as BaseCall;
}
