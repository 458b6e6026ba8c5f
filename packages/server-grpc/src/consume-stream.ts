/** Consume: one partition's events to one peer, no faster than the peer takes them. */
import type { ServerWritableStream } from "@grpc/grpc-js";
import { InvalidArgumentError } from "@logstore/codec";
import {
  CONSUME_HEADROOM_BYTES,
  type ConsumeEvent,
  type ConsumeRequest,
  type Position,
  type PositionMessage,
  positionFromMessage,
} from "@logstore/protocol";
import type { CallContext } from "./call-context.js";
import { DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES } from "./limits.js";
import { type Received, wellFormed } from "./malformed.js";
import { stoppingError } from "./running-calls.js";

export interface ConsumeRequestMessage {
  readonly topic: string;
  readonly partition: number;
  readonly from?: PositionMessage | null;
  readonly until?: PositionMessage | null;
  readonly maxBytes: number;
}

export type ConsumeCall = ServerWritableStream<Received<ConsumeRequestMessage>, ConsumeEvent>;

export async function consume(call: ConsumeCall, { api, calls, errors }: CallContext): Promise<void> {
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

/** A position that is there but not understood is refused: the default would read something else than was meant. */
function optionalPosition(message: PositionMessage | null | undefined): Position | undefined {
  return message ? positionOf(message) : undefined;
}

/** @throws InvalidArgumentError */
export function positionOf(message: PositionMessage | null | undefined): Position {
  const position = positionFromMessage(message);
  if (position === undefined) throw new InvalidArgumentError("a position needs an offset, an edge or a time");
  return position;
}
