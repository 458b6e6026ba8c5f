/**
 * Calls of one request that count in a budget which others share: the request is not read before
 * there is room for it. HTTP/2 then holds the peer back, as it does with a stream. How long the
 * request is nobody knows before: what comes of all that began to be read at once is bounded as
 * unfinished messages are.
 */
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf, sessionOf } from "./base-call.js";
import type { SharedBudget } from "./budget.js";
import type { ReceiveTurns } from "./receive-turns.js";

/** @param path of the method whose requests wait */
export function readWithRoom(path: string, budget: SharedBudget, turns: ReceiveTurns): ServerInterceptor {
  return (method, call) =>
    method.path === path ? new WaitingCall(call, budget, turns) : (call as ServerInterceptingCall);
}

class WaitingCall extends ServerInterceptingCall {
  readonly #call: object;
  readonly #budget: SharedBudget;
  readonly #turns: ReceiveTurns;
  #hasBegun = false;

  constructor(
    call: ConstructorParameters<typeof ServerInterceptingCall>[0],
    budget: SharedBudget,
    turns: ReceiveTurns,
  ) {
    super(call);
    this.#call = call;
    this.#budget = budget;
    this.#turns = turns;
  }

  override startRead(): void {
    // The second read is for the end of the request, which holds nothing more.
    if (this.#hasBegun) {
      super.startRead();
      return;
    }
    this.#hasBegun = true;
    const read = () => super.startRead();
    let leaveTurns: () => void = () => {};
    const leaveBudget = this.#budget.whenRoom(() => {
      leaveTurns = this.#turns.whenTurn(sessionOf(this.#call), read);
    });
    baseCallOf(this.#call).stream.once("close", () => {
      leaveBudget();
      leaveTurns();
    });
  }
}
