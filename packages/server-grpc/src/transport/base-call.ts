/**
 * What grpc-js keeps of a call and gives nobody a way to. Looked for under the names that it has
 * there: the tests of whoever uses this tell when they change.
 */
import { constants, type Http2Session, type ServerHttp2Stream } from "node:http2";

export interface BaseCall {
  /** How compressed messages of this call are compressed. */
  incomingEncoding: string;
  readonly stream: ServerHttp2Stream;
  /** What goes to HTTP/2 for a message: its bytes behind gRPC's prefix. */
  serializeMessage(message: unknown): Buffer;
  readonly decoder: MessageDecoder;
}

/** Puts messages together from what comes. */
export interface MessageDecoder {
  /** Longer ones are refused as soon as their length has come. */
  maxReadMessageLength: number;
  /** The messages that are whole now. */
  write(data: Buffer): Buffer[];
  /**
   * Bytes of the message under way, and how many of them have not come yet; both 0 before its
   * length is known.
   */
  readonly readMessageSize: number;
  readonly readMessageRemaining: number;
}

interface Layer {
  /** Of a handler's call: what carries it. */
  readonly call?: Layer;
  /** Of an intercepted call: the next one inwards. */
  readonly nextCall?: Layer;
}

/** The call within all interceptors, from what an interceptor or a handler gets. */
export function baseCallOf(call: object): BaseCall {
  let layer = call as Layer;
  for (let inner: Layer | undefined = layer; inner !== undefined; inner = layer.call ?? layer.nextCall) layer = inner;
  return layer as unknown as BaseCall;
}

/** The connection that a call came on; undefined where the call is over already. */
export function sessionOf(call: object): Http2Session | undefined {
  return baseCallOf(call).stream.session;
}

/**
 * Ends a call at once, with all that waits to be sent: its peer does not take it, so a status would
 * never reach it either. gRPC knows this code as RESOURCE_EXHAUSTED.
 */
export function resetStream(call: object): void {
  const { stream } = baseCallOf(call);
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  stream.destroy(); // what waits is let go of even where the reset has to wait, too
}
