/** ProduceStream: concurrent appends, acknowledged in the order of the requests. */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { declaredCounts, InvalidArgumentError } from "@logstore/codec";
import type { LogApi, ProduceAck, ProduceRequest } from "@logstore/protocol";
import { Budget } from "../transport/budget.js";
import { sessionOf } from "../transport/call-internals.js";
import { MAX_BATCHES_PER_REQUEST, MAX_UNACKED_BYTES, MAX_UNACKED_REQUESTS } from "../transport/limits.js";
import { writeAtOnce } from "../transport/write-message.js";
import { AnswersInOrder } from "./answers-in-order.js";
import type { CallContext } from "./call-context.js";
import { type Received, wellFormed } from "./malformed.js";
import { stoppingError } from "./running-calls.js";
import type { StreamedAnswer } from "./streamed-answer.js";

export type ProduceCall = ServerDuplexStream<Received<ProduceRequest>, StreamedAnswer>;

/** Returns the request if it has no more batches than allowed. @throws InvalidArgumentError */
export function checkedRequest(request: ProduceRequest): ProduceRequest {
  const { batches } = declaredCounts(request.batches);
  if (batches <= MAX_BATCHES_PER_REQUEST) return request;
  throw new InvalidArgumentError(`a request takes ${MAX_BATCHES_PER_REQUEST} batches at most, not ${batches}`, {
    expected: MAX_BATCHES_PER_REQUEST,
    actual: batches,
  });
}

export function receivedBytes(received: Received<ProduceRequest>): number {
  return typeof received === "symbol" ? 0 : received.batches.length;
}

export async function produceStream(
  call: ProduceCall,
  { apiFor, calls, errors, unacked: shared, receiveTurns, receiveWindows }: CallContext,
): Promise<void> {
  const unacked = new Budget(MAX_UNACKED_BYTES, MAX_UNACKED_REQUESTS, shared);
  const session = sessionOf(call);
  const leaveWindows = session && receiveWindows.appends(session);
  let leaveTurns: () => void = () => {};
  const noMoreRequests = Promise.withResolvers<void>();
  let stopping = false;
  const answers = new AnswersInOrder<StreamedAnswer>((answer) => {
    if (!call.cancelled) writeAtOnce(call, answer, () => unacked.done());
  });
  let api: LogApi;

  const onRequest = (received: Received<ProduceRequest>) => {
    const bytes = receivedBytes(received);
    unacked.take(bytes);
    receiveTurns.took(session, bytes);
    const give = answers.next();
    const answered = (answer: StreamedAnswer) => {
      unacked.giveBack(bytes);
      give(answer);
    };
    // Nothing is awaited before this call, so that appends start in the order in which requests
    // arrive.
    append(api, received).then(
      (ack) => answered({ ack }),
      (error) => answered({ error: errors.toDetail(error) }),
    );
  };
  const stopReading = () => {
    unacked.close();
    leaveTurns();
  };
  const onStop = () => {
    stopping = true;
    stopReading();
    call.off("data", onRequest);
    noMoreRequests.resolve();
  };

  readWhen(call, (goOn) => {
    unacked.whenRoom(() => {
      leaveTurns = receiveTurns.whenTurn(session, goOn);
    });
  });
  call.on("cancelled", () => {
    stopReading();
    noMoreRequests.resolve();
  });
  call.on("end", () => noMoreRequests.resolve());
  try {
    await calls.run(async () => {
      api = await apiFor(call);
      call.on("data", onRequest);
      await noMoreRequests.promise;
      await answers.given();
    }, onStop);
    if (stopping) throw stoppingError();
    call.end();
  } catch (error) {
    if (!call.cancelled) call.emit("error", errors.toStatus(error));
  } finally {
    leaveWindows?.();
  }
}

async function append(api: LogApi, received: Received<ProduceRequest>): Promise<ProduceAck> {
  return api.produce(checkedRequest(wellFormed(received)));
}

/**
 * By itself the stream reads 16 messages ahead, of whatever size, even if it is paused. Therefore
 * `mayRead` is called before each message: until it calls its argument nothing more is read, and
 * HTTP/2 exerts backpressure.
 */
function readWhen(call: ProduceCall, mayRead: (goOn: () => void) => void): void {
  const read = call._read.bind(call);
  call._read = (size) => mayRead(() => read(size));
}
