/**
 * Calls of one request that count in a budget which others share: the request is not read before there is room for it. HTTP/2 then
 * holds the peer back, as it does with a stream. How long the request is nobody knows before: what comes of all that began to be
 * read at once is bounded as unfinished messages are.
 */
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";
import type { SharedBudget } from "./budget.js";

/** @param path of the method whose requests wait */
export function readWithRoom(path: string, budget: SharedBudget): ServerInterceptor {
  return (method, call) => (method.path === path ? new WaitingCall(call, budget) : (call as ServerInterceptingCall));
}

class WaitingCall extends ServerInterceptingCall {
  readonly #call: object;
  readonly #budget: SharedBudget;
  #hasBegun = false;

  constructor(call: ConstructorParameters<typeof ServerInterceptingCall>[0], budget: SharedBudget) {
    super(call);
    this.#call = call;
    this.#budget = budget;
  }

  override startRead(): void {
    // The second read is for the end of the request, which holds nothing more.
    if (this.#hasBegun) {
      super.startRead();
      return;
    }
    this.#hasBegun = true;
    const leave = this.#budget.whenRoom(() => super.startRead());
    baseCallOf(this.#call).stream.once("close", leave);
  }
}
