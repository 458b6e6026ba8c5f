import { type Client, InterceptingCall } from "@grpc/grpc-js";
import type { MethodDefinition } from "@grpc/proto-loader";
import { startTimer, UnavailableError } from "@logstore/codec";
import { type ConsumeEvent, type ConsumeRequest, decodeConsumeResponse, positionToMessage } from "@logstore/protocol";
import { onlyGrpc } from "./only-grpc.js";

/**
 * The events of one Consume call, each received only when it is asked for: while nobody asks,
 * HTTP/2's flow control stops the server after one window. Leaving the iteration cancels the call;
 * so does `signal`, which ends it quietly.
 *
 * @param acceptTimeoutMs how long the server may take to begin its answer: a call that a stream
 * limit holds back fails then
 */
export async function* consumeCall(
  client: Client,
  method: MethodDefinition<object, object>,
  request: ConsumeRequest,
  signal: AbortSignal | undefined,
  acceptTimeoutMs: number,
): AsyncGenerator<ConsumeEvent, void, undefined> {
  if (signal?.aborted) return;
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
    },
    { interceptors: [(options, next) => (gate = new PulledCall(next(options))), onlyGrpc] },
  );
  const cancel = () => call.cancel();
  let isLate = false;
  const accepted = startTimer(acceptTimeoutMs, () => {
    isLate = true;
    cancel();
  });
  call.once("metadata", () => accepted.cancel());
  signal?.addEventListener("abort", cancel);
  call.on("error", () => {}); // one that comes after the iteration was left has nobody else to hear it
  const events: AsyncIterator<ConsumeEvent | undefined> = call[Symbol.asyncIterator]();
  try {
    for (;;) {
      gate.pull();
      const { done, value } = await events.next();
      if (done) return;
      if (value !== undefined) yield value;
    }
  } catch (error) {
    if (signal?.aborted) return;
    if (isLate) throw notAccepted(acceptTimeoutMs);
    throw error;
  } finally {
    accepted.cancel();
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

function notAccepted(timeoutMs: number): UnavailableError {
  return new UnavailableError(
    `no answer to a stream within ${timeoutMs} ms: the server is busy, or something before it lets fewer streams be open`,
  );
}

/**
 * Node's streams read 16 messages ahead, which here may be 16 MiB a partition. This reads one for
 * each `pull`.
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
