/** What every call needs to be answered. */
import type { handleUnaryCall, ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import type { LogApi, ServerDescription } from "@logstore/protocol";
import type { SharedBudget } from "../transport/budget.js";
import type { CallRefused } from "../transport/call-refused.js";
import type { ReceiveTurns } from "../transport/receive-turns.js";
import type { ReceiveWindows } from "../transport/receive-window.js";
import type { Sending } from "../transport/sending.js";
import type { Turns } from "../transport/turns.js";
import type { ErrorTranslator } from "./error-status.js";
import { type Received, wellFormed } from "./malformed.js";
import type { RunningCalls } from "./running-calls.js";

/** A call under way, whatever its messages are. */
export type AnyCall =
  | ServerUnaryCall<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;

export interface CallContext {
  /** The log as far as the caller may use it. @throws what the call is to be refused with */
  readonly apiFor: (call: AnyCall) => LogApi | Promise<LogApi>;
  /** What the server tells of itself; the log's own limits are added. */
  readonly server: ServerDescription;
  readonly calls: RunningCalls;
  readonly sending: Sending;
  /** What all ProduceStreams and Produce calls together may have read and not yet answered. */
  readonly unacked: SharedBudget;
  /** When a connection may have its next append read. */
  readonly receiveTurns: ReceiveTurns;
  /** What connections may send ahead, by how many of them append. */
  readonly receiveWindows: ReceiveWindows;
  /** When a call begins that may take long to answer. */
  readonly turns: Turns;
  readonly errors: ErrorTranslator;
  /** Told of a call that is ended for what its peer does, or does not do. */
  readonly refused: CallRefused;
}

/** Of the event loop: a part of what a call may take of it in one turn. */
const LONG_ANSWER_MS = 5;

/**
 * A unary method: `answer` gets the request and gives the response, both as messages. `signal`
 * aborts when nobody waits for the answer any more, and when the server stops: an answer that waits
 * for something is to be given soon then.
 */
export function unary<Request, Response>(
  context: CallContext,
  answer: Answer<Request, Response>,
): handleUnaryCall<Received<Request>, Response> {
  return unaryAtOnce(context, async (...call) => {
    await context.turns.next();
    const begun = performance.now();
    const response = await answer(...call);
    // What took long to make is long, and takes as much again to be serialized.
    if (performance.now() - begun > LONG_ANSWER_MS) await context.turns.next();
    return response;
  });
}

type Answer<Request, Response> = (
  api: LogApi,
  request: Request,
  signal: AbortSignal,
  call: ServerUnaryCall<Received<Request>, Response>,
) => Promise<Response>;

/** The same for a method whose answers cost little before anything is awaited. */
export function unaryAtOnce<Request, Response>(
  { apiFor, calls, errors }: CallContext,
  answer: Answer<Request, Response>,
): handleUnaryCall<Received<Request>, Response> {
  return (call, respond) => {
    const abort = new AbortController();
    const end = () => abort.abort();
    call.on("cancelled", end);
    calls
      .run(async () => answer(await apiFor(call), wellFormed(call.request), abort.signal, call), end)
      .then(
        (response) => respond(null, response),
        (error) => respond(errors.toStatus(error)),
      );
  };
}
