/**
 * Fetch: one read that may wait. Its memory counts like that of a stream, and a caller that does
 * not accept the response is treated like a stalled stream.
 */
import type { ServerUnaryCall } from "@grpc/grpc-js";
import { type LogStoreError, UnavailableError } from "@logstore/codec";
import {
  CONSUME_HEADROOM_BYTES,
  type FetchResult,
  type LogApi,
  type PositionMessage,
  type ReadBudget,
} from "@logstore/protocol";
import { resetStream } from "../transport/call-internals.js";
import { DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES, MAX_FETCH_WAIT_MS } from "../transport/limits.js";
import type { Lease } from "../transport/send-budget.js";
import { sliceLeft } from "../transport/slices.js";
import { answerInPlace } from "../transport/write-message.js";
import type { CallContext } from "./call-context.js";
import type { Received } from "./malformed.js";
import { optionalPosition } from "./position.js";
import { stoppingError } from "./running-calls.js";

export interface FetchRequestMessage {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly from?: PositionMessage | null;
  readonly maxBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
}

export async function fetch(
  { sending, refused }: Pick<CallContext, "sending" | "refused">,
  api: LogApi,
  { from, maxBytes, minBytes, maxWaitMs, ...where }: FetchRequestMessage,
  signal: AbortSignal,
  call: ServerUnaryCall<Received<FetchRequestMessage>, FetchResult>,
): Promise<FetchResult> {
  const { stalled } = sending;
  const lease = sending.lease();
  const whenUnread = sending.whenUnread(call);
  const wait = new AbortController();
  /** Returns what it has; if it has nothing and still waits for room, fails with the error. */
  const endWith = (error: LogStoreError) => {
    wait.abort();
    lease.cutOff(error);
  };
  const over = () => {
    endWith(new UnavailableError("the call is over"));
    stalled.end(reading);
    stalled.end(answering);
  };
  const reading = { cutOff: () => endWith(stoppingError()) };
  const answering = {
    cutOff() {
      over();
      refused(call.getPeer(), call.getPath(), "its response was not read for too long");
      resetStream(call);
    },
  };
  const budget = watched(lease, {
    taken: () => stalled.begin(reading),
    gaveBack: () => {
      if (lease.heldBytes === 0) stalled.end(reading);
    },
  });
  call.on("cancelled", over); // grpc-js emits it at the end of every call
  signal.addEventListener("abort", reading.cutOff);
  try {
    await sliceLeft(); // a burst of them starts in slices of the event loop
    const result = await api.fetch(
      {
        ...where,
        from: optionalPosition(from),
        maxBytes: Math.min(maxBytes || DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES),
        minBytes: minBytes || 1,
        maxWaitMs: Math.min(maxWaitMs, MAX_FETCH_WAIT_MS),
      },
      { signal: wait.signal, headroomBytes: CONSUME_HEADROOM_BYTES, budget },
    );
    answerInPlace(call, result);
    if (!call.cancelled) stalled.begin(answering);
    const giveBack = () => {
      try {
        result.release?.();
      } finally {
        lease.close(stoppingError());
      }
    };
    whenUnread(giveBack);
    return result;
  } catch (error) {
    lease.close(stoppingError());
    throw error;
  } finally {
    stalled.end(reading);
  }
}

function watched(lease: Lease, told: { taken(): void; gaveBack(): void }): ReadBudget {
  const taken = (bytes: number) => {
    if (bytes > 0) told.taken();
    return bytes;
  };
  return {
    take(wantedBytes, leastBytes) {
      const bytes = lease.take(wantedBytes, leastBytes);
      return typeof bytes === "number" ? taken(bytes) : bytes.then(taken);
    },
    tryTake: (wantedBytes, leastBytes) => taken(lease.tryTake(wantedBytes, leastBytes)),
    giveBack(bytes) {
      lease.giveBack(bytes);
      told.gaveBack();
    },
  };
}
