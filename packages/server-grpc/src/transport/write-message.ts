/** Messages on their way to HTTP/2. */
import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import { type ConsumeEvent, encodeConsumeResponse } from "@logstore/protocol";
import { baseCallOf } from "./base-call.js";

export type EventCall<Request> = ServerWritableStream<Request, ConsumeEvent>;

/** Before each message gRPC has a byte that says whether it is compressed, and its length. */
const GRPC_PREFIX_BYTES = 5;

/**
 * Resolves to true when the message's last byte has left HTTP/2, and nothing reads its memory any more: a peer that does not read has
 * one message wait here and no more. Resolves to false when the call is over first, by the signal too, since grpc-js drops the
 * callbacks of a cancelled call's writes: HTTP/2 may then still hold on to the message.
 */
export function writeMessage<Request>(
  call: EventCall<Request>,
  event: ConsumeEvent,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isSent: boolean) => {
      signal.removeEventListener("abort", aborted);
      resolve(isSent);
    };
    const aborted = () => end(false);
    const done = (error?: Error | null) => end(error == null && !signal.aborted);
    signal.addEventListener("abort", aborted);
    if (!writeInPlace(call, event, done)) call.write(event, done);
  });
}

/**
 * grpc-js copies each message into a new buffer, with its prefix before it: of all that the server does to send batches, that costs
 * most. Where a message has room before it, the prefix goes there and the whole to HTTP/2 as it is. See
 * docs/decisions/0015-messages-are-sent-in-place.md. False where that cannot be done.
 */
function writeInPlace<Request>(
  call: EventCall<Request>,
  event: ConsumeEvent,
  done: (error?: Error | null) => void,
): boolean {
  if (event.type !== "batches") return false;
  const { stream } = baseCallOf(call);
  // One that was ended meanwhile, by whoever keeps strangers out, takes nothing any more.
  if (stream.destroyed || stream.writableEnded) return false;
  const { batches } = event;
  const message = encodeConsumeResponse(event);
  const freeBytes = event.headroomBytes - (message.length - batches.length);
  if (message.buffer !== batches.buffer || freeBytes < GRPC_PREFIX_BYTES) return false;
  call.sendMetadata(new Metadata()); // once: what was sent already is not sent again
  const start = message.byteOffset - GRPC_PREFIX_BYTES;
  const framed = Buffer.from(message.buffer, start, GRPC_PREFIX_BYTES + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  stream.write(framed, done);
  return true;
}
