/**
 * The HTTP/2 stream under a call of grpc-js, which keeps it to itself and has no way to reset a stream whose peer does not read. Looked
 * for under the names that it has there; whoever gets undefined does without.
 */
import { constants, type ServerHttp2Stream } from "node:http2";

interface Layer {
  /** Of a call: what carries it. */
  readonly call?: Layer;
  /** Of an intercepted call: the next one inwards. */
  readonly nextCall?: Layer;
  readonly stream?: Partial<ServerHttp2Stream>;
}

export function http2StreamOf(call: object): ServerHttp2Stream | undefined {
  let layer = (call as Layer).call;
  while (layer?.nextCall !== undefined) layer = layer.nextCall;
  const stream = layer?.stream;
  const isOne = typeof stream?.close === "function" && typeof stream.destroy === "function" && stream.session;
  return isOne ? (stream as ServerHttp2Stream) : undefined;
}

/**
 * Ends a call at once, with all that waits to be sent: its peer does not take it, so a status would never reach it either. gRPC knows
 * this code as RESOURCE_EXHAUSTED.
 */
export function resetStream(call: object): void {
  const stream = http2StreamOf(call);
  stream?.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  stream?.destroy(); // what waits is let go of even where the reset has to wait, too
}
