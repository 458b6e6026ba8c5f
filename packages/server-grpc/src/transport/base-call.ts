/**
 * Access to internals of calls in grpc-js that have no public API, by their private names. The
 * tests of the users of this file fail if these change.
 */
import { constants, type Http2Session, type ServerHttp2Stream } from "node:http2";

export interface BaseCall {
  /** The compression of this call's compressed messages. */
  incomingEncoding: string;
  readonly stream: ServerHttp2Stream;
  /** Returns the bytes sent over HTTP/2 for a message, which start with gRPC's prefix. */
  serializeMessage(message: unknown): Buffer;
  readonly decoder: MessageDecoder;
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

/** Returns the innermost call of what an interceptor or handler gets. */
export function baseCallOf(call: object): BaseCall {
  let layer = call as Layer;
  for (let inner: Layer | undefined = layer; inner !== undefined; inner = layer.call ?? layer.nextCall) layer = inner;
  return layer as unknown as BaseCall;
}

/** The connection of a call; undefined if the call has ended. */
export function sessionOf(call: object): Http2Session | undefined {
  return baseCallOf(call).stream.session;
}

/**
 * Ends a call at once and drops everything that waits to be sent: its peer does not read, so that a
 * status would not arrive either. In gRPC this error code means RESOURCE_EXHAUSTED.
 */
export function resetStream(call: object): void {
  const { stream } = baseCallOf(call);
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  stream.destroy(); // frees waiting data even if the reset itself has to wait
}
