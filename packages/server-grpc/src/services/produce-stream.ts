/** ProduceStream: concurrent appends, acknowledged in the order of the requests. */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { declaredCounts, InvalidArgumentError } from "@logstore/codec";
import {
  durabilityToNumber,
  type ErrorDetail,
  type LogApi,
  type ProduceAck,
  type ProduceRequest,
} from "@logstore/protocol";
import { Budget } from "../transport/budget.js";
import { sessionOf } from "../transport/call-internals.js";
import { MAX_BATCHES_PER_REQUEST, MAX_UNACKED_BYTES, MAX_UNACKED_REQUESTS } from "../transport/limits.js";
import type { CallContext } from "./call-context.js";
import { type Received, wellFormed } from "./malformed.js";
import { stoppingError } from "./running-calls.js";

export type ProduceAckMessage = Omit<ProduceAck, "durability"> & { readonly durability: number };

type Answer = { readonly ack: ProduceAckMessage } | { readonly error: ErrorDetail };
export type ProduceCall = ServerDuplexStream<Received<ProduceRequest>, Answer>;

export function ackMessage(ack: ProduceAck): ProduceAckMessage {
  return { ...ack, durability: durabilityToNumber(ack.durability) };
}

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
  let acks = Promise.resolve();
  let api: LogApi;

  const answerTo = async (received: Received<ProduceRequest>): Promise<Answer> => {
    try {
      // Nothing is awaited before this call, so that appends start in the order in which requests
      // arrive.
      return { ack: ackMessage(await api.produce(checkedRequest(wellFormed(received)))) };
    } catch (error) {
      return { error: errors.toDetail(error) };
    }
  };
  const onRequest = (received: Received<ProduceRequest>) => {
    const bytes = receivedBytes(received);
    unacked.take(bytes);
    receiveTurns.took(session, bytes);
    const answer = answerTo(received).finally(() => unacked.giveBack(bytes));
    acks = acks.then(async () => {
      const message = await answer;
      if (!call.cancelled) call.write(message, () => unacked.done());
    });
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
      await acks;
    }, onStop);
    if (stopping) throw stoppingError();
    call.end();
  } catch (error) {
    if (!call.cancelled) call.emit("error", errors.toStatus(error));
  } finally {
    leaveWindows?.();
  }
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
