/**
 * Access to the HTTP/2 stream of a call, by the private names of grpc-js, which has no public ones.
 * A release of grpc-js may rename them: messages are then written through its public methods.
 */
import type { ClientHttp2Stream } from "node:http2";

/** One of the calls that carry each other, from an application's call down to its HTTP/2 stream. */
interface Layer {
  readonly call?: Layer;
  readonly nextCall?: Layer;
  readonly child?: Layer;
  /** Of a call that may have several attempts. */
  readonly underlyingCalls?: readonly Layer[];
  readonly committedCallIndex?: number | null;
  readonly http2Stream?: ClientHttp2Stream;
}

/** Undefined if the call has no stream yet, or if this release of grpc-js uses other names. */
export function http2StreamOf(call: object): ClientHttp2Stream | undefined {
  let layer: Layer | undefined = call as Layer;
  while (layer !== undefined && layer.http2Stream === undefined) layer = below(layer);
  return typeof layer?.http2Stream?.write === "function" ? layer.http2Stream : undefined;
}

function below({ call, nextCall, child, underlyingCalls, committedCallIndex }: Layer): Layer | undefined {
  return call ?? nextCall ?? child ?? underlyingCalls?.[committedCallIndex ?? -1];
}
