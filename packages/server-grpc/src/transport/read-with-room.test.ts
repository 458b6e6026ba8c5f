import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { SharedBudget } from "./budget.js";
import { readWithRoom } from "./read-with-room.js";
import { ReceiveTurns } from "./receive-turns.js";

const method = { path: "/logstore.v1.LogService/Produce", requestStream: false, responseStream: false };

interface Listener {
  onCancel(): void;
}

/** Starts a call in the form of grpc-js, which reads as soon as it may. */
function start(budget: SharedBudget) {
  let reads = 0;
  let listener: Listener | undefined;
  const call = {
    start: (one: Listener) => {
      listener = one;
    },
    startRead: () => {
      reads++;
    },
  } as unknown as ServerInterceptingCallInterface;
  const interceptor = readWithRoom(method.path, budget, new ReceiveTurns(1_000));
  const intercepted = interceptor(method as Parameters<typeof interceptor>[0], call);
  intercepted.start({ onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveHalfClose() {}, onCancel() {} });
  intercepted.startRead();
  return { reads: () => reads, cancel: () => listener!.onCancel() };
}

test("a call that is cancelled while it waits for room is not read, and the next one has its turn", () => {
  const budget = new SharedBudget(4);
  budget.take(4);
  const cancelled = start(budget);
  const next = start(budget);
  expect([cancelled.reads(), next.reads()]).toEqual([0, 0]);
  cancelled.cancel();
  budget.giveBack(1); // room for one of those that wait
  expect([cancelled.reads(), next.reads()]).toEqual([0, 1]);
});
