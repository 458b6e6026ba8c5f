/**
 * Access to the HTTP/2 stream of a call, by the private names of grpc-js, which has no public ones.
 * A release of grpc-js may rename them: messages are then written and received by its own code.
 */
import type { ClientHttp2Stream } from "node:http2";
import { MessageJoiner, receiveInPlace } from "@logstore/protocol";

/** Assembles the messages of a call from the data received. */
interface Decoder {
  readonly maxReadMessageLength: number;
  readonly readMessageRemaining: number;
  write(data: Buffer): Buffer[];
}

/** One of the calls that carry each other, from an application's call down to its HTTP/2 stream. */
interface Layer {
  readonly call?: Layer;
  readonly nextCall?: Layer;
  readonly child?: Layer;
  /** Of a call that may have several attempts. */
  readonly underlyingCalls?: readonly Layer[];
  readonly committedCallIndex?: number | null;
  readonly http2Stream?: ClientHttp2Stream;
  /** Of the call that has the stream. */
  decoder?: Decoder;
}

/** Undefined if the call has no stream yet, or if this release of grpc-js uses other names. */
export function http2StreamOf(call: object): ClientHttp2Stream | undefined {
  const stream = carrierOf(call)?.http2Stream;
  return typeof stream?.write === "function" ? stream : undefined;
}

/**
 * Receives the messages of a call in place, as far as this release of grpc-js allows it. Called
 * when the response begins.
 */
export function receiveMessagesInPlace(call: object): void {
  const carrier = carrierOf(call);
  const stream = http2StreamOf(call);
  if (stream === undefined || carrier?.decoder?.readMessageRemaining !== 0) return;
  const joiner = new MessageJoiner(carrier.decoder.maxReadMessageLength, Buffer.allocUnsafe);
  if (receiveInPlace(stream, joiner)) carrier.decoder = joiner;
}

/** The call that has the HTTP/2 stream. */
function carrierOf(call: object): Layer | undefined {
  let layer: Layer | undefined = call as Layer;
  while (layer !== undefined && layer.http2Stream === undefined) layer = below(layer);
  return layer;
}

function below({ call, nextCall, child, underlyingCalls, committedCallIndex }: Layer): Layer | undefined {
  return call ?? nextCall ?? child ?? underlyingCalls?.[committedCallIndex ?? -1];
}
