/** Consume: one partition's events to one peer, no faster than the peer takes them. */
import type { ServerWritableStream } from "@grpc/grpc-js";
import {
  CONSUME_HEADROOM_BYTES,
  type ConsumeEvent,
  type ConsumeRequest,
  type PositionMessage,
} from "@logstore/protocol";
import { DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES } from "../transport/limits.js";
import type { CallContext } from "./call-context.js";
import { type Received, wellFormed } from "./malformed.js";
import { optionalPosition } from "./position.js";
import { stoppingError } from "./running-calls.js";

export interface ConsumeRequestMessage {
  readonly topic: string;
  readonly partition: number;
  readonly from?: PositionMessage | null;
  readonly until?: PositionMessage | null;
  readonly maxBytes: number;
}

export type ConsumeCall = ServerWritableStream<Received<ConsumeRequestMessage>, ConsumeEvent>;

export async function consume(call: ConsumeCall, { apiFor, calls, errors }: CallContext): Promise<void> {
  const abort = new AbortController();
  let stopping = false;
  const end = () => abort.abort();
  call.on("cancelled", end);
  const onStop = () => {
    stopping = true;
    end();
  };
  const forward = async () => {
    const { signal } = abort;
    const api = await apiFor(call);
    // grpc-js copies a message when it is written, and each is written when the one before is on its way.
    const options = { signal, headroomBytes: CONSUME_HEADROOM_BYTES, reuseBuffers: true };
    for await (const event of api.consume(requestOf(wellFormed(call.request)), options)) {
      if (signal.aborted) return;
      await write(call, event, signal);
      if (signal.aborted) return;
    }
  };
  try {
    await calls.run(forward, onStop);
    if (stopping) throw stoppingError();
    call.end();
  } catch (error) {
    if (call.cancelled) return;
    // What was written already goes out first, then the status.
    call.emit("error", errors.toStatus(stopping ? stoppingError() : error));
  }
}

/**
 * Resolves when the message's last byte has passed HTTP/2's flow control: a peer that does not read has one message wait here
 * and no more. Resolves also when the signal aborts, since grpc-js drops the callbacks of a cancelled call's writes.
 */
function write(call: ConsumeCall, event: ConsumeEvent, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done);
    call.write(event, done);
  });
}

function requestOf(message: ConsumeRequestMessage): ConsumeRequest {
  return {
    topic: message.topic,
    partition: message.partition,
    from: optionalPosition(message.from),
    until: optionalPosition(message.until),
    maxBytes: Math.min(message.maxBytes || DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES),
  };
}
