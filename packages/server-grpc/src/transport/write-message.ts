/** Messages on their way to HTTP/2. */
import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import { type ConsumeEvent, encodeConsumeResponse, encodeFetchResponse, type FetchResult } from "@logstore/protocol";
import { baseCallOf } from "./base-call.js";

export type EventCall<Request> = ServerWritableStream<Request, ConsumeEvent>;

/** Before each message gRPC has a byte that says whether it is compressed, and its length. */
const GRPC_PREFIX_BYTES = 5;

/**
 * Resolves to true when the message's last byte has left HTTP/2, and nothing reads its memory any
 * more: a peer that does not read has one message wait here and no more. Resolves to false when the
 * call is over first, by the signal too, since grpc-js drops the callbacks of a cancelled call's
 * writes: HTTP/2 may then still hold on to the message.
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
 * Has a unary call's answer sent without the copy that grpc-js makes of it, where its batches have
 * room before them. The answer's memory is to stay as it is until HTTP/2 has sent it.
 */
export function answerInPlace(call: object, result: FetchResult): void {
  if (result.batches.length === 0) return;
  const framed = frameInPlace(encodeFetchResponse(result), result);
  if (framed !== undefined) baseCallOf(call).serializeMessage = () => framed;
}

/** Writes batches without a copy. False where that cannot be done. */
function writeInPlace<Request>(
  call: EventCall<Request>,
  event: ConsumeEvent,
  done: (error?: Error | null) => void,
): boolean {
  if (event.type !== "batches") return false;
  const { stream } = baseCallOf(call);
  // One that was ended meanwhile, by whoever keeps strangers out, takes nothing any more.
  if (stream.destroyed || stream.writableEnded) return false;
  const framed = frameInPlace(encodeConsumeResponse(event), event);
  if (framed === undefined) return false;
  call.sendMetadata(new Metadata()); // once: what was sent already is not sent again
  stream.write(framed, done);
  return true;
}

/**
 * `message` behind gRPC's prefix, in the headroom of its own batches; undefined where there is too
 * little of it. grpc-js copies each message into a new buffer to put that prefix before it, and of
 * all that the server does to send batches, this copy costs most. See
 * docs/decisions/0015-messages-are-sent-in-place.md.
 */
function frameInPlace(
  message: Uint8Array,
  { batches, headroomBytes }: { readonly batches: Uint8Array; readonly headroomBytes: number },
): Buffer | undefined {
  const freeBytes = headroomBytes - (message.length - batches.length);
  if (message.buffer !== batches.buffer || freeBytes < GRPC_PREFIX_BYTES) return undefined;
  const start = message.byteOffset - GRPC_PREFIX_BYTES;
  const framed = Buffer.from(message.buffer, start, GRPC_PREFIX_BYTES + message.length);
  framed.writeUInt8(0, 0);
  framed.writeUInt32BE(message.length, 1);
  return framed;
}
