/**
 * Access to internals of calls in grpc-js that have no public API, by their private names. A
 * release of grpc-js may rename them: every user of this file then falls back to the public API,
 * and the server warns once. base-call.test.ts fails if the names change.
 */
import type { ServerHttp2Stream } from "node:http2";

export interface BaseCall {
  /** The compression of this call's compressed messages. */
  incomingEncoding: string;
  readonly stream: ServerHttp2Stream;
  /** Returns the bytes sent over HTTP/2 for a message, which start with gRPC's prefix. */
  serializeMessage(message: unknown): Buffer;
  decoder: MessageDecoder;
}

/** Assembles messages from the data received. */
export interface MessageDecoder {
  /** Longer messages are refused as soon as their length has arrived. */
  maxReadMessageLength: number;
  /** Returns the messages that are complete now. */
  write(data: Buffer): Buffer[];
  /**
   * Length of the current message, and how many of its bytes have not arrived; both 0 before its
   * length is known.
   */
  readonly readMessageSize: number;
  readonly readMessageRemaining: number;
}

interface Layer {
  /** Set on a handler's call: the call that carries it. */
  readonly call?: Layer;
  /** Set on an intercepted call: the next inner call. */
  readonly nextCall?: Layer;
}

/**
 * Returns the innermost call of what an interceptor or handler gets; undefined if this release of
 * grpc-js keeps its internals under other names.
 */
export function baseCallOf(call: object): BaseCall | undefined {
  let layer = call as Layer;
  for (let inner: Layer | undefined = layer; inner !== undefined; inner = layer.call ?? layer.nextCall) layer = inner;
  return isBaseCall(layer as Partial<BaseCall>) ? (layer as unknown as BaseCall) : undefined;
}

function isBaseCall(layer: Partial<BaseCall>): boolean {
  const { stream, decoder, incomingEncoding, serializeMessage } = layer;
  return (
    typeof stream?.close === "function" &&
    typeof decoder?.write === "function" &&
    typeof decoder.maxReadMessageLength === "number" &&
    typeof decoder.readMessageSize === "number" &&
    typeof decoder.readMessageRemaining === "number" &&
    typeof incomingEncoding === "string" &&
    typeof serializeMessage === "function"
  );
}
