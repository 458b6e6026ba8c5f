/** Fetch: one read that may wait. What it holds counts as what a stream holds, and so does the patience with its caller. */
import type { ServerUnaryCall } from "@grpc/grpc-js";
import { UnavailableError } from "@logstore/codec";
import { CONSUME_HEADROOM_BYTES, type FetchResult, type LogApi, type PositionMessage } from "@logstore/protocol";
import { resetStream } from "../transport/base-call.js";
import { DEFAULT_CONSUME_BYTES, MAX_CONSUME_BYTES, MAX_FETCH_WAIT_MS } from "../transport/limits.js";
import type { CallContext } from "./call-context.js";
import type { Received } from "./malformed.js";
import { optionalPosition } from "./position.js";

export interface FetchRequestMessage {
  readonly topic: string;
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
  const over = () => {
    stalled.end(reading);
    stalled.end(answering);
    lease.close(new UnavailableError("the call is over"));
  };
  const wait = new AbortController();
  // Who waits for more and has some already is told to make do with that.
  const reading = { cutOff: () => wait.abort() };
  const answering = {
    cutOff() {
      over();
      refused(call.getPeer(), call.getPath(), "its answer was not taken for too long");
      resetStream(call);
    },
  };
  const budget = {
    take(wantedBytes: number, leastBytes: number) {
      stalled.begin(reading);
      return lease.take(wantedBytes, leastBytes);
    },
    giveBack(bytes: number) {
      lease.giveBack(bytes);
      if (lease.heldBytes === 0) stalled.end(reading);
    },
  };
  call.on("cancelled", over); // which grpc-js says at a call's end, however that came
  signal.addEventListener("abort", reading.cutOff);
  try {
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
    if (!call.cancelled) stalled.begin(answering);
    return result;
  } catch (error) {
    over();
    throw error;
  } finally {
    stalled.end(reading);
  }
}
