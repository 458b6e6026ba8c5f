/**
 * Unary calls that share a budget with others: the request is not read before there is room for it,
 * so that HTTP/2 exerts backpressure as for a stream. The length of a request is not known in
 * advance; the requests that are being read are limited as unfinished messages.
 */
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import type { SharedBudget } from "./budget.js";
import { sessionOf } from "./call-internals.js";
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
  readonly #waiting: { leave(): void };
  #hasBegun = false;

  constructor(
    call: ConstructorParameters<typeof ServerInterceptingCall>[0],
    budget: SharedBudget,
    turns: ReceiveTurns,
  ) {
    const waiting = { leave: () => {} };
    // Called at the end of every call, whether it was answered, cancelled or lost.
    super(call, { start: (next) => next({ onCancel: () => waiting.leave() }) });
    this.#waiting = waiting;
    this.#call = call;
    this.#budget = budget;
    this.#turns = turns;
  }

  override startRead(): void {
    // The second read only gets the end of the request, which takes no memory.
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
    this.#waiting.leave = () => {
      leaveBudget();
      leaveTurns();
    };
  }
}
