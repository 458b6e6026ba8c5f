/** Writes messages to HTTP/2. */
import { Metadata, type ServerDuplexStream, type ServerWritableStream } from "@grpc/grpc-js";
import {
  type ConsumeEvent,
  encodeConsumeResponse,
  encodeFetchResponse,
  type FetchResult,
  frameInPlace,
} from "@logstore/protocol";
import { baseCallOf } from "./base-call.js";

export type EventCall<Request> = ServerWritableStream<Request, ConsumeEvent>;

/**
 * Calls `done` with true when HTTP/2 has sent the last byte of the message, and nothing reads its
 * memory any more: so only one message waits here for a peer that does not read. Calls it with
 * false if the message failed. It may never be called if the call ends first, because grpc-js drops
 * the write callbacks of a cancelled call: HTTP/2 may then still use the message.
 */
export function writeMessage<Request>(
  call: EventCall<Request>,
  event: ConsumeEvent,
  done: (isSent: boolean) => void,
): void {
  const written = (error?: Error | null) => done(error == null);
  if (!writeInPlace(call, event, written)) call.write(event, written);
}

/**
 * Writes a message to HTTP/2 without waiting for those before it: by itself grpc-js passes on one
 * at a time. All messages of a call are written so, or none, because those that grpc-js holds would
 * be overtaken.
 *
 * @param done called when HTTP/2 has sent it
 */
export function writeAtOnce<Request, Message>(
  call: ServerDuplexStream<Request, Message>,
  message: Message,
  done: (error?: Error | null) => void,
): void {
  const base = baseCallOf(call);
  if (base === undefined || base.stream.destroyed || base.stream.writableEnded) {
    call.write(message, done);
    return;
  }
  call.sendMetadata(new Metadata()); // has no effect if they were sent before
  base.stream.write(base.serializeMessage(message), done);
}

/**
 * Makes the response of a unary call be sent without the copy that grpc-js would make, if its
 * batches have headroom. Its memory must not change until HTTP/2 has sent it.
 */
export function answerInPlace(call: object, result: FetchResult): void {
  if (result.batches.length === 0) return;
  const framed = frameInPlace(encodeFetchResponse(result), result);
  const base = baseCallOf(call); // undefined: grpc-js copies the message
  if (framed !== undefined && base !== undefined) base.serializeMessage = () => bufferOf(framed);
}

/**
 * Writes batches without a copy. Returns false if that is not possible. grpc-js copies each message
 * into a new buffer to put the prefix before it, and of everything that the server does to send
 * batches, this copy costs most. See docs/decisions/0015-messages-are-sent-in-place.md.
 */
function writeInPlace<Request>(
  call: EventCall<Request>,
  event: ConsumeEvent,
  done: (error?: Error | null) => void,
): boolean {
  if (event.type !== "batches") return false;
  const stream = baseCallOf(call)?.stream;
  // A stream that access control has ended in the meantime accepts no more data.
  if (stream === undefined || stream.destroyed || stream.writableEnded) return false;
  const framed = frameInPlace(encodeConsumeResponse(event), event);
  if (framed === undefined) return false;
  call.sendMetadata(new Metadata()); // has no effect if they were sent before
  stream.write(framed, done);
  return true;
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
