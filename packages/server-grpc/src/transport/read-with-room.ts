/**
 * Unary calls that share a budget with others: the request is not read before there is room for it,
 * so that HTTP/2 exerts backpressure as for a stream. The length of a request is not known in
 * advance; the requests that are being read are limited as unfinished messages.
 */
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { baseCallOf } from "./base-call.js";
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
  #hasBegun = false;
  #leave: () => void = () => {};

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
    const leave = () => {
      leaveBudget();
      leaveTurns();
    };
    const base = baseCallOf(this.#call);
    if (base === undefined) this.#leave = leave;
    else base.stream.once("close", leave);
  }

  /** The fallback: a call that ends, or is cancelled, stops waiting when its status is sent. */
  override sendStatus(status: Parameters<ServerInterceptingCall["sendStatus"]>[0]): void {
    this.#leave();
    super.sendStatus(status);
  }
}
