/** A callback that throws does not prevent the other callbacks of the same turn. */
import { EventEmitter } from "node:events";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { expect, onTestFinished, test, vi } from "vitest";
import { RunningCalls } from "../services/running-calls.js";
import { SharedBudget } from "./budget.js";
import { paceStreams } from "./paced-streams.js";
import { ReceiveTurns } from "./receive-turns.js";
import { SendBudget } from "./send-budget.js";
import { StalledStreams } from "./stalled-streams.js";
import { UnsentMessages } from "./unsent-messages.js";

const failure = new Error("a callback threw");
const throwing = () => {
  throw failure;
};

/** Collects uncaught errors, which would otherwise end the process. */
function uncaught(): unknown[] {
  const errors: unknown[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => errors.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of listeners) process.on("uncaughtException", listener);
  });
  return errors;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A session whose peer answers a ping on request. */
function session() {
  const closed: (() => void)[] = [];
  const pings: ((error: Error | null) => void)[] = [];
  const fake = { destroyed: false, ping: (answered: (typeof pings)[number]) => pings.push(answered) };
  const stalled = new StalledStreams(1_000_000, () => false);
  onTestFinished(() => stalled.close());
  const messages = new UnsentMessages(stalled, () => ({ onClose: (end) => closed.push(end), refuse() {} }));
  const unsent = messages.of({ session: fake as unknown as ServerHttp2Session })!;
  const stream = { destroyed: true, writableFinished: false } as ServerHttp2Stream;
  return { keep: (release: () => void) => unsent.keep(stream, release), pings, close: () => closed[0]!() };
}

test("memory of unsent messages is released, and the next ping is sent", () => {
  const { keep, pings } = session();
  const releases = [vi.fn(), vi.fn(), vi.fn()] as const;
  keep(releases[0]); // the first ping is for it alone
  keep(throwing);
  keep(releases[1]);
  pings[0]!(null);
  keep(releases[2]);
  expect(() => pings[1]!(null)).toThrow(failure);
  expect(releases[1]).toHaveBeenCalledOnce();
  pings[2]!(null);
  expect(releases[2]).toHaveBeenCalledOnce();
});

test("memory of unsent messages is released when their connection ends", async () => {
  const errors = uncaught();
  const { keep, close } = session();
  const released = vi.fn();
  keep(throwing);
  keep(throwing);
  keep(released);
  close();
  await turn();
  expect(released).toHaveBeenCalledOnce();
  expect(errors).toEqual([failure]);
});

test("calls of one turn start", async () => {
  const errors = uncaught();
  const server = new EventEmitter();
  const begun: number[] = [];
  server.on("stream", (_: unknown, call: number) => {
    if (call % 3 === 1) throw failure;
    begun.push(call);
  });
  paceStreams(server, 3);
  for (let call = 0; call < 9; call++) {
    try {
      server.emit("stream", new EventEmitter(), call);
    } catch (error) {
      expect([call, error]).toEqual([1, failure]); // as without pacing
    }
  }
  for (let i = 0; i < 5; i++) await turn();
  expect(begun).toEqual([0, 2, 3, 5, 6, 8]);
  expect(errors).toEqual([failure, failure]);
});

test("streams that wait for the receive budget proceed", () => {
  const budget = new SharedBudget(10);
  budget.take(10);
  const goOn = vi.fn();
  budget.whenRoom(throwing);
  budget.whenRoom(goOn);
  expect(() => budget.giveBack(10)).toThrow(failure);
  expect(goOn).toHaveBeenCalledOnce();
});

test("connections that wait for their share of a turn proceed", async () => {
  const errors = uncaught();
  const turns = new ReceiveTurns(100);
  const [one, another] = [{}, {}];
  turns.took(one, 1_000);
  turns.took(another, 1_000);
  const goOn = vi.fn();
  turns.whenTurn(one, throwing);
  turns.whenTurn(another, goOn);
  await turn();
  expect(goOn).toHaveBeenCalledOnce();
  expect(errors).toEqual([failure]);
});

test("calls that wait for the send budget get it", () => {
  const budget = new SendBudget(10, () => {});
  expect(budget.take({ wantedBytes: 10, leastBytes: 10, granted() {} })).toBe(10);
  const granted = vi.fn();
  budget.take({ wantedBytes: 1, leastBytes: 1, granted: throwing });
  budget.take({ wantedBytes: 1, leastBytes: 1, granted });
  expect(() => budget.giveBack(10)).toThrow(failure);
  expect(granted).toHaveBeenCalledOnce();
});

test("stalled streams are ended, including later ones", async () => {
  const errors = uncaught();
  const stalled = new StalledStreams(1, () => false);
  onTestFinished(() => stalled.close());
  const cutOff = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  stalled.begin({ cutOff: throwing });
  stalled.begin({ cutOff: cutOff[0]!.resolve });
  await cutOff[0]!.promise;
  stalled.begin({ cutOff: cutOff[1]!.resolve });
  await cutOff[1]!.promise;
  expect(errors).toEqual([failure]);
});

test("calls are notified of a stop, and awaited", async () => {
  const calls = new RunningCalls();
  const over = Promise.withResolvers<void>();
  const told = vi.fn();
  const ran = [calls.run(() => over.promise, throwing), calls.run(() => over.promise, told)];
  let isStopped = false;
  const stopped = calls.stop().finally(() => {
    isStopped = true;
  });
  stopped.catch(() => {});
  await turn();
  expect(told).toHaveBeenCalledOnce();
  expect(isStopped).toBe(false);
  over.resolve();
  await expect(stopped).rejects.toBe(failure);
  await Promise.all(ran);
});
