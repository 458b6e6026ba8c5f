/** Consume: sends one partition's events to one peer, no faster than the peer accepts them. */
import { Metadata } from "@grpc/grpc-js";
import { type LogStoreError, SlowConsumerError, UnavailableError } from "@logstore/codec";
import {
  type BatchesEvent,
  CONSUME_HEADROOM_BYTES,
  type ConsumeEvent,
  type ConsumeRequest,
  type PositionMessage,
} from "@logstore/protocol";
import { baseCallOf, resetStream } from "../transport/base-call.js";
import { DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES } from "../transport/limits.js";
import { sliceLeft } from "../transport/slices.js";
import { type EventCall, writeMessage } from "../transport/write-message.js";
import type { CallContext } from "./call-context.js";
import { type Received, wellFormed } from "./malformed.js";
import { optionalPosition } from "./position.js";
import { stoppingError } from "./running-calls.js";

export interface ConsumeRequestMessage {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly from?: PositionMessage | null;
  readonly until?: PositionMessage | null;
  readonly maxBytes: number;
}

export type ConsumeCall = EventCall<Received<ConsumeRequestMessage>>;

export async function consume(
  call: ConsumeCall,
  { apiFor, calls, errors, sending, refused }: CallContext,
): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  const lease = sending.lease();
  const { stream } = baseCallOf(call);
  const unsent = sending.unsent.of(stream);
  /** The batches that HTTP/2 may still read. */
  let underWay: BatchesEvent | undefined;
  /** The error with which the stream was ended before its end. */
  let ended: LogStoreError | undefined;
  const endWith = (error: LogStoreError) => {
    ended ??= error;
    abort.abort();
    lease.cutOff(error);
  };
  const reader = {
    cutOff() {
      endWith(slowConsumerError());
      refused(call.getPeer(), call.getPath(), "its reader took nothing for too long");
      resetStream(call);
    },
  };
  const send = async (event: ConsumeEvent): Promise<boolean> => {
    const begun = performance.now();
    underWay = event.type === "batches" ? event : undefined;
    sending.stalled.begin(reader);
    const isSent = await writeMessage(call, event, signal);
    sending.stalled.end(reader);
    if (isSent && underWay !== undefined) {
      lease.sent(underWay.batches.length, performance.now() - begun);
      underWay.release?.();
      underWay = undefined;
    }
    return isSent;
  };
  const forward = async () => {
    const api = await apiFor(call);
    // Sent at once, so that the client can tell an open stream from one that waits for the
    // connection's stream limit.
    call.sendMetadata(new Metadata());
    await sliceLeft(); // a reader of many partitions starts them all at once
    const options = { signal, headroomBytes: CONSUME_HEADROOM_BYTES, budget: lease };
    for await (const event of api.consume(requestOf(wellFormed(call.request)), options)) {
      if (signal.aborted) {
        if (event.type === "batches") event.release?.();
        return;
      }
      if (!(await send(event))) return;
    }
  };
  call.on("cancelled", () => endWith(new UnavailableError("the call is over")));
  try {
    await calls.run(forward, () => endWith(stoppingError()));
    if (ended !== undefined) throw ended;
    call.end();
  } catch (error) {
    if (call.cancelled) return;
    // What has been written is sent first, then the status.
    call.emit("error", errors.toStatus(ended ?? error));
  } finally {
    lease.cutOff(stoppingError());
    const giveBack = () => {
      try {
        underWay?.release?.();
      } finally {
        lease.close(stoppingError());
      }
    };
    if (underWay === undefined || unsent === undefined) giveBack();
    else unsent.keep(stream, giveBack);
  }
}

function slowConsumerError(): SlowConsumerError {
  return new SlowConsumerError("the reader took nothing for too long: open the stream again where it was");
}

function requestOf(message: ConsumeRequestMessage): ConsumeRequest {
  return {
    topic: message.topic,
    topicId: message.topicId,
    partition: message.partition,
    from: optionalPosition(message.from),
    until: optionalPosition(message.until),
    maxBytes: Math.min(message.maxBytes || DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES),
  };
}
