/** What every call needs to be answered. */
import type { handleUnaryCall } from "@grpc/grpc-js";
import type { LogApi } from "@logstore/protocol";
import type { ErrorTranslator } from "./error-status.js";
import { type Received, wellFormed } from "./malformed.js";
import type { RunningCalls } from "./running-calls.js";

export interface CallContext {
  readonly api: LogApi;
  readonly calls: RunningCalls;
  readonly errors: ErrorTranslator;
}

/**
 * A unary method: `answer` gets the request and gives the response, both as messages. `signal` aborts when nobody waits for the
 * answer any more, and when the server stops: an answer that waits for something is to be given soon then.
 */
export function unary<Request, Response>(
  { calls, errors }: CallContext,
  answer: (request: Request, signal: AbortSignal) => Promise<Response>,
): handleUnaryCall<Received<Request>, Response> {
  return (call, respond) => {
    const abort = new AbortController();
    const end = () => abort.abort();
    call.on("cancelled", end);
    calls
      .run(async () => answer(wellFormed(call.request), abort.signal), end)
      .then(
        (response) => respond(null, response),
        (error) => respond(errors.toStatus(error)),
      );
  };
}
