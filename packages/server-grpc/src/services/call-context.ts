/** What the handlers of all calls share. */
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

/** A call in progress, whatever its messages are. */
export type AnyCall =
  | ServerUnaryCall<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;

export interface CallContext {
  /**
   * The log as the caller may use it.
   *
   * @throws the error with which the call is refused
   */
  readonly apiFor: (call: AnyCall) => LogApi | Promise<LogApi>;
  /** The server's own description; the log's limits are added. */
  readonly server: ServerDescription;
  readonly calls: RunningCalls;
  readonly sending: Sending;
  /**
   * Budget for requests of all ProduceStreams and Produce calls that were read and not yet
   * answered.
   */
  readonly unacked: SharedBudget;
  /** Decides when the next append of a connection is read. */
  readonly receiveTurns: ReceiveTurns;
  /** Receive windows of connections, by how many of them append. */
  readonly receiveWindows: ReceiveWindows;
  /** Spreads the start of calls with long responses over turns of the event loop. */
  readonly turns: Turns;
  readonly errors: ErrorTranslator;
  /** Called when a call is ended because of what its peer does or does not do. */
  readonly refused: CallRefused;
}

/**
 * A response that takes longer than this to compute, in ms, is serialized in a later turn of the
 * event loop.
 */
const LONG_ANSWER_MS = 5;

/**
 * Implements a unary method: `answer` maps the request message to the response message. `signal`
 * aborts when the caller no longer waits for the response, and when the server stops: then a
 * pending response should be given soon.
 */
export function unary<Request, Response>(
  context: CallContext,
  answer: Answer<Request, Response>,
): handleUnaryCall<Received<Request>, Response> {
  return unaryAtOnce(context, async (...call) => {
    await context.turns.next();
    const begun = performance.now();
    const response = await answer(...call);
    // A response that took long to compute will take about as long to serialize.
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

/** Like {@link unary}, for a method that does little work before it first awaits something. */
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
