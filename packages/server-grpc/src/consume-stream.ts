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
import { Budget } from "./budget.js";
import type { CallContext } from "./call-context.js";
import { DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES, MAX_UNSENT_BYTES } from "./limits.js";
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
  const unsent = new Budget(MAX_UNSENT_BYTES);
  const end = () => {
    abort.abort();
    unsent.letGo();
  };
  // grpc-js drops the callbacks of writes under way when a call is cancelled: without this, room would be waited for for ever.
  call.on("cancelled", end);
  let stopping = false;
  const onStop = () => {
    stopping = true;
    end();
  };
  const forward = async () => {
    const request = requestOf(wellFormed(call.request));
    const options = { signal: abort.signal, headroomBytes: CONSUME_HEADROOM_BYTES };
    for await (const event of api.consume(request, options)) {
      if (abort.signal.aborted) break;
      const bytes = sizeOf(event);
      unsent.take(bytes);
      // Called when the last byte has passed HTTP/2's flow control, so what the peer does not read is not given back.
      call.write(event, () => unsent.giveBack(bytes));
      await unsent.room(request.maxBytes);
      if (abort.signal.aborted) break;
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

function requestOf(message: ConsumeRequestMessage): ConsumeRequest & { maxBytes: number } {
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

/** Of the message, at most: its frame fits into the headroom. */
function sizeOf(event: ConsumeEvent): number {
  return CONSUME_HEADROOM_BYTES + (event.type === "batches" ? event.batches.length : 0);
}
