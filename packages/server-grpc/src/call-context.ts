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

/** A unary method: `answer` gets the request and gives the response, both as messages. */
export function unary<Request, Response>(
  { calls, errors }: CallContext,
  answer: (request: Request) => Promise<Response>,
): handleUnaryCall<Received<Request>, Response> {
  return (call, respond) => {
    calls
      .run(async () => answer(wellFormed(call.request)))
      .then(
        (response) => respond(null, response),
        (error) => respond(errors.toStatus(error)),
      );
  };
}
