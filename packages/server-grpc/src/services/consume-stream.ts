/** Consume: sends one partition's events to one peer, no faster than the peer accepts them. */
import { Metadata } from "@grpc/grpc-js";
import { type LogStoreError, SlowConsumerError, UnavailableError } from "@logstore/codec";
import {
  type BatchesEvent,
  CONSUME_HEADROOM_BYTES,
  type ConsumeEvent,
  type ConsumeOptions,
  type ConsumeRequest,
  type PositionMessage,
} from "@logstore/protocol";
import { resetStream } from "../transport/call-internals.js";
import { DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES } from "../transport/limits.js";
import type { Lease } from "../transport/send-budget.js";
import { sliceLeft } from "../transport/slices.js";
import type { Stalled, StalledStreams } from "../transport/stalled-streams.js";
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
  readonly seesCaughtUp: boolean;
}

export type ConsumeCall = EventCall<Received<ConsumeRequestMessage>>;

export async function consume(call: ConsumeCall, context: CallContext): Promise<void> {
  const { apiFor, calls, errors } = context;
  const stream = new EventStream(call, context);
  const forward = async () => {
    const api = await apiFor(call);
    // Sent at once, so that the client can tell an open stream from one that waits for the
    // connection's stream limit.
    call.sendMetadata(new Metadata());
    await sliceLeft(); // a reader of many partitions starts them all at once
    await stream.send(api.consume(requestOf(wellFormed(call.request)), stream.options));
  };
  call.on("cancelled", () => stream.endWith(new UnavailableError("the call is over")));
  try {
    await calls.run(forward, () => stream.endWith(stoppingError()));
    if (stream.ended !== undefined) throw stream.ended;
    call.end();
  } catch (error) {
    if (call.cancelled) return;
    // What has been written is sent first, then the status.
    call.emit("error", errors.toStatus(stream.ended ?? error));
  } finally {
    stream.close();
  }
}

/** Sends events to the peer, and accounts for the memory of their batches. */
class EventStream {
  /** The error with which the stream was ended before its end. */
  ended: LogStoreError | undefined;
  readonly #call: ConsumeCall;
  readonly #stalled: StalledStreams;
  readonly #abort = new AbortController();
  readonly #lease: Lease;
  readonly #whenUnread: (release: () => void) => void;
  /** Cuts the peer off if it reads nothing for too long. */
  readonly #reader: Stalled;
  /** The batches that HTTP/2 may still read. */
  #underWay: BatchesEvent | undefined;
  /** Ends the wait for the message in progress: whether it was sent. */
  #written: (isSent: boolean) => void = () => {};

  constructor(call: ConsumeCall, { sending, refused }: CallContext) {
    this.#call = call;
    this.#stalled = sending.stalled;
    this.#lease = sending.lease();
    this.#whenUnread = sending.whenUnread(call);
    this.#reader = {
      cutOff: () => {
        this.endWith(slowConsumerError());
        refused(call.getPeer(), call.getPath(), "its reader read nothing for too long");
        resetStream(call);
      },
    };
  }

  get options(): ConsumeOptions {
    return { signal: this.#abort.signal, headroomBytes: CONSUME_HEADROOM_BYTES, budget: this.#lease };
  }

  endWith(error: LogStoreError): void {
    this.ended ??= error;
    this.#written(false);
    this.#abort.abort();
    this.#lease.cutOff(error);
  }

  /** Resolves when all events are sent, or the call has ended. */
  async send(events: AsyncIterable<ConsumeEvent>): Promise<void> {
    for await (const event of events) {
      if (this.#abort.signal.aborted) {
        if (event.type === "batches") event.release?.();
        return;
      }
      if (!(await this.#sendOne(event))) return;
    }
  }

  /** Returns the memory when HTTP/2 cannot read it any more. */
  close(): void {
    this.#lease.cutOff(stoppingError());
    const giveBack = () => {
      try {
        this.#underWay?.release?.();
      } finally {
        this.#lease.close(stoppingError());
      }
    };
    if (this.#underWay === undefined) giveBack();
    else this.#whenUnread(giveBack);
  }

  async #sendOne(event: ConsumeEvent): Promise<boolean> {
    const begun = performance.now();
    this.#underWay = event.type === "batches" ? event : undefined;
    this.#stalled.begin(this.#reader);
    const isSent = await new Promise<boolean>((resolve) => {
      this.#written = resolve;
      writeMessage(this.#call, event, resolve);
    });
    this.#stalled.end(this.#reader);
    if (isSent && this.#underWay !== undefined) {
      this.#lease.sent(this.#underWay.batches.length, performance.now() - begun);
      this.#underWay.release?.();
      this.#underWay = undefined;
    }
    return isSent;
  }
}

function slowConsumerError(): SlowConsumerError {
  return new SlowConsumerError("the reader read nothing for too long: open the stream again at its position");
}

function requestOf(message: ConsumeRequestMessage): ConsumeRequest {
  return {
    topic: message.topic,
    topicId: message.topicId,
    partition: message.partition,
    from: optionalPosition(message.from),
    until: optionalPosition(message.until),
    maxBytes: Math.min(message.maxBytes || DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES),
    seesCaughtUp: message.seesCaughtUp,
  };
}
