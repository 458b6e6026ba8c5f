import { type Client, InterceptingCall, type Metadata } from "@grpc/grpc-js";
import { startTimer, UnavailableError } from "@logstore/codec";
import { type ConsumeEvent, type ConsumeRequest, decodeConsumeResponse, positionToMessage } from "@logstore/protocol";
import { receiveMessagesInPlace } from "./http2-stream-of.js";
import type { Method } from "./load-proto.js";
import { onlyGrpc } from "./only-grpc.js";

/**
 * Yields the events of one Consume call. Each is received only when it is requested: HTTP/2's flow
 * control otherwise stops the server after one window. Leaving the iteration cancels the call; so
 * does each of `signals`, which end the iteration without an error.
 *
 * @param acceptTimeoutMs time limit for the beginning of the response; a call that a stream limit
 * holds back fails then
 */
export async function* consumeCall(
  client: Client,
  method: Method,
  request: ConsumeRequest,
  headers: Metadata,
  signals: readonly (AbortSignal | undefined)[],
  acceptTimeoutMs: number,
): AsyncGenerator<ConsumeEvent, void, undefined> {
  const isAborted = () => signals.some((signal) => signal?.aborted);
  if (isAborted()) return;
  let gate!: PulledCall;
  const call = client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    decodeConsumeResponse,
    {
      topic: request.topic,
      topicId: request.topicId,
      partition: request.partition,
      from: positionToMessage(request.from ?? "earliest"),
      until: request.until === undefined ? undefined : positionToMessage(request.until),
      maxBytes: request.maxBytes,
      seesCaughtUp: request.seesCaughtUp,
    },
    headers,
    { interceptors: [(options, next) => (gate = new PulledCall(next(options))), onlyGrpc] },
  );
  const cancel = () => call.cancel();
  let isLate = false;
  const accepted = startTimer(acceptTimeoutMs, () => {
    isLate = true;
    cancel();
  });
  call.once("metadata", () => {
    accepted.cancel();
    receiveMessagesInPlace(call);
  });
  for (const signal of signals) signal?.addEventListener("abort", cancel);
  call.on("error", () => {}); // an error after the end of the iteration has no other listener
  const events: AsyncIterator<ConsumeEvent | undefined> = call[Symbol.asyncIterator]();
  try {
    for (;;) {
      gate.pull();
      const { done, value } = await events.next();
      if (done) return;
      if (value !== undefined) yield value;
    }
  } catch (error) {
    if (isAborted()) return;
    if (isLate) throw notAccepted(acceptTimeoutMs);
    throw error;
  } finally {
    accepted.cancel();
    for (const signal of signals) signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

function notAccepted(timeoutMs: number): UnavailableError {
  return new UnavailableError(
    `the server did not accept a stream within ${timeoutMs} ms: it is overloaded, or a proxy limits the number of open streams`,
  );
}

/**
 * Receives one message for each `pull`. Node's streams read 16 messages ahead, which could be 16
 * MiB a partition.
 */
class PulledCall extends InterceptingCall {
  #pulled = false;
  #wanted = false;

  override startRead(): void {
    this.#wanted = true;
    this.#readIfBoth();
  }

  pull(): void {
    this.#pulled = true;
    this.#readIfBoth();
  }

  #readIfBoth(): void {
    if (!this.#pulled || !this.#wanted) return;
    this.#pulled = false;
    this.#wanted = false;
    super.startRead();
  }
}
